#include "rtld/glibc/tunables.hpp"

namespace myld::glibc {
namespace {

constexpr std::string_view kVariable = "GLIBC_TUNABLES";

/// `entry` is "NAME=value" with this name: the address of the value, else null.
const char* value_in(const char* entry, std::string_view name) {
  for (char wanted : name) {
    if (*entry++ != wanted) return nullptr;
  }
  return *entry == '=' ? entry + 1 : nullptr;
}

bool equals(const char* terminated, const char* text, std::size_t length) {
  for (std::size_t i = 0; i < length; ++i) {
    if (terminated[i] != text[i])  // also where `terminated` ends
      return false;
  }
  return terminated[length] == '\0';
}

/// The value of a digit in any base up to 16, or 16 for what is none.
constexpr unsigned digit_value(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A') + 10;
  return 16;
}

/// The number that the whole of `text` is: blanks, a sign, then decimal, 0x hexadecimal or 0 octal
/// digits. As in glibc a value too large for 64 bits is no number, and `-1` is 2^64 - 1.
bool parse_number(std::string_view text, std::uint64_t* value) {
  std::size_t at = 0;
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  bool negative = at < text.size() && text[at] == '-';
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  if (at == text.size() || digit_value(text[at]) > 9) return false;
  unsigned base = 10;
  if (text[at] == '0') {
    base = 8;
    if (at + 1 < text.size() && (text[at + 1] | 0x20) == 'x') {
      base = 16;
      at += 2;
    }
  }
  std::uint64_t result = 0;
  for (; at < text.size(); ++at) {
    unsigned digit = digit_value(text[at]);
    if (digit >= base) return false;
    if (__builtin_mul_overflow(result, base, &result) ||
        __builtin_add_overflow(result, digit, &result))
      return false;
  }
  *value = negative ? 0 - result : result;
  return true;
}

/// Is `a` below `b` in the order of the type? (A bound of an int_32 is held as a 64-bit number.)
bool below(TunableType type, std::uint64_t a, std::uint64_t b) {
  if (type == TunableType::int_32)
    return static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b);
  return a < b;
}

struct Printer {
  void (*write)(void*, std::string_view);
  void* context;

  void text(std::string_view piece) const { write(context, piece); }

  void number(TunableType type, std::uint64_t value) const {
    char digits[24];
    std::size_t at = sizeof digits;
    if (type == TunableType::int_32) {
      auto narrow = static_cast<std::int32_t>(value);
      bool negative = narrow < 0;
      std::uint32_t left =
          negative ? 0u - static_cast<std::uint32_t>(narrow) : static_cast<std::uint32_t>(narrow);
      do {
        digits[--at] = static_cast<char>('0' + left % 10);
      } while ((left /= 10) != 0);
      if (negative) digits[--at] = '-';
    } else {
      do {
        digits[--at] = "0123456789abcdef"[value & 15];
      } while ((value >>= 4) != 0);
      digits[--at] = 'x';
      digits[--at] = '0';
    }
    text({digits + at, sizeof digits - at});
  }
};

std::string_view view(const TunableValue& value) {
  return {reinterpret_cast<const char*>(value.number_or_address), value.length};
}

}  // namespace

void Tunables::init(const Known& known,
                    std::span<const TunableKey> keys,
                    const char* const* envp,
                    bool secure,
                    const TunableWarning& warning) {
  known_ = &known;
  keys_ = keys;
  use(known.tunable_tables.back());
  certain_ = false;
  asks_secure_ = false;
  warning_ = warning;
  used_ = false;
  if (secure) return;
  for (const char* const* entry = envp; *entry != nullptr && !used_; ++entry)
    used_ = may_set_tunables(*entry);
  parse(envp, true);
}

bool Tunables::bind(unsigned table, bool certain, const char* const* envp) {
  if (table >= known_->tunable_tables.size()) return false;
  use(known_->tunable_tables[table]);
  certain_ = certain;
  parse(envp, false);
  return true;
}

void Tunables::parse(const char* const* envp, bool warn) {
  if (touched_) {
    for (Slot& slot : slots_) slot = {};
    touched_ = false;
  }
  if (!used_ || asks_secure_) return;

  // An alias gives way to GLIBC_TUNABLES wherever that stands, so it is kept until all was seen.
  const char* aliases[kMaxIds] = {};
  for (const char* const* entry = envp; *entry != nullptr; ++entry) {
    if (!may_set_tunables(*entry)) continue;
    if (const char* list = value_in(*entry, kVariable)) {
      apply_list(list, warn);
      continue;
    }
    for (unsigned id = 0; id < count(); ++id) {
      const char* alias = def(id).env_alias;
      if (*alias != **entry)  // also where it is empty
        continue;
      if (const char* value = value_in(*entry, alias)) {
        aliases[id] = value;
        break;
      }
    }
  }
  for (unsigned id = 0; id < count() && !asks_secure_; ++id) {
    if (aliases[id] == nullptr || slots_[id].set) continue;
    std::string_view text = aliases[id];
    if (!store_text(id, {text.data(), text.size()}) && warn && warning_.tell != nullptr)
      warning_.tell(warning_.context, def(id).name, text);
  }
}

/// Finds the value of each id in "name=value:name=value". False: a name has no value at the end of
/// the list, or a value holds a `=`. A name that no tunable has is passed over, as is an item
/// without
/// `=` before another.
bool Tunables::split(const char* list, Text* values) const {
  const char* at = list;
  while (true) {
    const char* item = at;
    while (*at != '=' && *at != ':' && *at != '\0') ++at;
    if (*at == '\0') return false;
    if (*at == ':') {
      ++at;
      continue;
    }
    auto name_length = static_cast<std::size_t>(at - item);
    const char* value = ++at;
    while (*at != '=' && *at != ':' && *at != '\0') ++at;
    if (*at == '=') return false;
    for (unsigned id = 0; id < count(); ++id) {
      if (equals(def(id).name, item, name_length)) {
        values[id] = {value, static_cast<std::size_t>(at - value)};
        break;
      }
    }
    if (*at == '\0') return true;
    ++at;
  }
}

void Tunables::apply_list(const char* list, bool warn) {
  if (*list == '\0') return;
  warn = warn && warning_.tell != nullptr;
  Text values[kMaxIds] = {};
  if (!split(list, values)) {
    if (warn) warning_.tell(warning_.context, nullptr, list);
    return;
  }
  if (int id = find(TunableKey::rtld_enable_secure); id >= 0 && values[id].begin != nullptr) {
    std::uint64_t value = 0;
    if (parse_number({values[id].begin, values[id].length}, &value) && value == 1) {
      asks_secure_ = true;
      return;
    }
  }
  for (unsigned id = 0; id < count(); ++id) {
    if (values[id].begin != nullptr && !store_text(id, values[id]) && warn)
      warning_.tell(warning_.context, def(id).name, {values[id].begin, values[id].length});
  }
}

/// False: not a number. A number out of bounds is ignored, and that is no error.
bool Tunables::store_text(unsigned id, Text text) {
  if (def(id).type == TunableType::string) {
    slots_[id] = {.value = {reinterpret_cast<std::uintptr_t>(text.begin), text.length},
                  .min = 0,
                  .max = 0,
                  .changed = true,
                  .set = true};
    touched_ = true;
    return true;
  }
  std::uint64_t value = 0;
  if (!parse_number({text.begin, text.length}, &value)) return false;
  store(id, value, def(id).min, def(id).max);
  return true;
}

void Tunables::store(unsigned id, std::uint64_t value, std::uint64_t min, std::uint64_t max) {
  Slot& slot = slots_[id];
  TunableType type = def(id).type;
  if (type == TunableType::int_32)  // its low 32 bits, signed
    value = static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(value)});
  std::uint64_t old_min = slot.changed ? slot.min : def(id).min;
  std::uint64_t old_max = slot.changed ? slot.max : def(id).max;
  if (below(type, min, old_min)) min = old_min;
  if (below(type, old_max, max)) max = old_max;
  if (below(type, max, min)) {
    min = old_min;
    max = old_max;
  }
  if (below(type, value, min) || below(type, max, value)) return;
  slot = {.value = {value, 0}, .min = min, .max = max, .changed = true, .set = true};
  touched_ = true;
}

void Tunables::use(const TunableTable& table) {
  table_ = &table;
  for (std::int8_t& id : ids_) id = -1;
  // Of two of a name the first.
  for (unsigned id = count(); id-- != 0;)
    ids_[static_cast<unsigned>(keys_[table.entry[id]])] = static_cast<std::int8_t>(id);
}

int Tunables::find(TunableKey key) const { return ids_[static_cast<unsigned>(key)]; }

std::uint64_t Tunables::number_of(unsigned id) const {
  return slots_[id].changed ? slots_[id].value.number_or_address : def(id).default_value;
}

std::uint64_t Tunables::number(TunableKey key, std::uint64_t absent) const {
  int id = find(key);
  return id < 0 ? absent : number_of(static_cast<unsigned>(id));
}

std::string_view Tunables::string(TunableKey key) const {
  int id = find(key);
  return id < 0 || !slots_[id].changed ? std::string_view{} : view(slots_[id].value);
}

bool Tunables::is_set(TunableKey key) const {
  int id = find(key);
  return id >= 0 && slots_[id].set;
}

void Tunables::set(TunableKey key, std::uint64_t value, std::uint64_t min, std::uint64_t max) {
  if (int id = find(key); id >= 0) store(static_cast<unsigned>(id), value, min, max);
}

void Tunables::get_val(unsigned id,
                       void* out,
                       void (*callback)(TunableValue*),
                       bool wide_values) const {
  if (id >= answered()) return;
  const Slot& slot = slots_[id];
  const Tunable& definition = def(id);
  TunableValue answer = slot.value;
  if (!slot.changed && definition.type != TunableType::string)
    answer = {definition.default_value, 0};
  switch (definition.type) {
  case TunableType::int_32: {
    auto value = static_cast<std::int32_t>(answer.number_or_address);
    __builtin_memcpy(out, &value, sizeof value);
    break;
  }
  case TunableType::uint_64:
  case TunableType::size_t: __builtin_memcpy(out, &answer.number_or_address, 8); break;
  case TunableType::string: {
    std::string_view text = view(slot.value);
    const void* value = &slot.value;
    if (!wide_values)
      value = text.data() != nullptr && text.data()[text.size()] == '\0' ? text.data() : nullptr;
    __builtin_memcpy(out, &value, sizeof value);
    break;
  }
  }
  if (slot.set && callback != nullptr) callback(&answer);
}

void Tunables::print(void (*write)(void* context, std::string_view text), void* context) const {
  Printer printer{write, context};
  for (unsigned id = 0; id < count(); ++id) {
    const Slot& slot = slots_[id];
    TunableType type = def(id).type;
    printer.text(def(id).name);
    if (type == TunableType::string) {
      if (slot.changed) {
        printer.text(": ");
        printer.text(view(slot.value));
        printer.text("\n");
      } else {
        printer.text(":\n");
      }
      continue;
    }
    printer.text(": ");
    printer.number(type, number_of(id));
    printer.text(" (min: ");
    printer.number(type, slot.changed ? slot.min : def(id).min);
    printer.text(", max: ");
    printer.number(type, slot.changed ? slot.max : def(id).max);
    printer.text(")\n");
  }
}

}  // namespace myld::glibc
