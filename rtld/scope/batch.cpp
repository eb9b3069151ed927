#include "rtld/scope/batch.hpp"

#include "loader/base/addr.hpp"
#include "loader/base/mem.hpp"
#include "loader/heap/scratch.hpp"

namespace myld::scope {
namespace {

/// How far ahead of its use a piece of memory is asked for.
constexpr std::size_t kAhead = 12;
/// Hashes that pass the filter are handled in portions, so that the memory they lead to is on its
/// way before it is needed.
constexpr std::size_t kPortion = 512;

unsigned bits_for(std::uint64_t n, unsigned least) {
  unsigned bits = least;
  while ((std::uint64_t{1} << bits) < n) ++bits;
  return bits;
}

std::uint64_t exported_count(const load::ModuleList* list) {
  std::uint64_t n = 0;
  for (std::uint32_t i = 0; list != nullptr && i < list->count; ++i) {
    const elf::Image& image = list->modules[i]->image;
    n += image.symbol_limit - (image.gnu_hash.bucket_count != 0 ? image.gnu_hash.first : 0);
  }
  return n;
}

}  // namespace

bool worth_a_batch(std::uint64_t references,
                   const load::ModuleList* first,
                   const load::ModuleList* second) {
  if (references < 32 || strong_definitions_preferred()) return false;
  // With a table of its names a list is asked like a few modules.
  auto asked = [](const load::ModuleList* list) -> std::uint64_t {
    constexpr std::uint64_t kByTable = 4;
    if (list == nullptr) return 0;
    return list->names != nullptr && list->count > kByTable ? kByTable : list->count;
  };
  std::uint64_t modules = asked(first) + asked(second);
  // In units of an exported hash streamed past: asking one module is about 4, and the fixed work
  // for a reference 40 either way. The arena and the table are worth 2000.
  return references * modules * 4 > exported_count(first) + exported_count(second) + 2000;
}

Batch::~Batch() { heap::release_scratch(memory_, bytes_); }

bool Batch::prepare(std::span<Module* const> users,
                    std::uint64_t references,
                    const load::ModuleList* first,
                    const load::ModuleList* second) {
  if (users.size() > UINT16_MAX || references > UINT32_MAX / 64) return false;
  std::uint64_t symbols = 0;
  for (const Module* m : users) symbols += m->image.symbol_limit;
  unsigned table_bits = bits_for(references * 2, 4), filter_bits = bits_for(references * 16, 6);
  std::size_t pointers = users.size() * sizeof(std::uint32_t*),
              ends = users.size() * sizeof(std::uint32_t), entries = references * sizeof(Entry),
              filter = (std::size_t{1} << filter_bits) / 8,
              table = sizeof(std::uint32_t) << table_bits;
  bytes_ = pointers + ends + entries + filter + table + symbols * sizeof(std::uint32_t);
  memory_ = heap::allocate_scratch(bytes_);
  if (memory_ == nullptr) return false;
  auto* at = static_cast<unsigned char*>(memory_);
  auto take = [&at](std::size_t bytes) {
    unsigned char* start = at;
    at += bytes;
    return start;
  };
  numbers_ = reinterpret_cast<std::uint32_t**>(take(pointers));
  entries_ = reinterpret_cast<Entry*>(take(entries));
  filter_ = reinterpret_cast<std::uint64_t*>(take(filter));
  table_ = reinterpret_cast<std::uint32_t*>(take(table));
  hashed_ends_ = reinterpret_cast<std::uint32_t*>(take(ends));
  for (std::size_t i = 0; i < users.size(); ++i) {
    hashed_ends_[i] = users[i]->image.gnu_hashed_end();
    numbers_[i] = reinterpret_cast<std::uint32_t*>(
        take(users[i]->image.symbol_limit * sizeof(std::uint32_t)));
  }
  users_ = users;
  lists_[0] = first;
  lists_[1] = second;
  capacity_ = static_cast<std::uint32_t>(references);
  table_shift_ = 32 - table_bits;
  filter_shift_ = 32 - filter_bits;
  return true;
}

void Batch::want(std::uint32_t user, std::uint32_t symbol, Purpose purpose) {
  const elf::Image& image = users_[user]->image;
  if (symbol == 0 || symbol >= image.symbol_limit || purpose == Purpose::copy) return;
  auto purpose_bit = static_cast<std::uint8_t>(1u << static_cast<unsigned>(purpose));
  std::uint32_t& number = numbers_[user][symbol];
  if (number != 0) {
    entries_[number - 1].purposes |= purpose_bit;
    return;
  }
  if (entry_count_ == capacity_) return;
  if (image.versym != nullptr && !version_is_known(*users_[user], symbol, image.symbols[symbol]))
    return;
  Entry e{};
  e.symbol = symbol;
  e.user = static_cast<std::uint16_t>(user);
  e.purposes = purpose_bit;
  if (has_stored_hash(user, symbol)) {
    e.hash = image.gnu_hash.chain[symbol - image.gnu_hash.first] >> 1;
  } else {
    const Sym& s = image.symbols[symbol];
    if (s.st_name >= image.strings.size || refers_to_itself(s)) return;
    if (s.st_shndx == SHN_UNDEF) e.purposes |= kUndefined;
    e.name = image.strings.data + s.st_name;
    e.hash = hash_of_name(e.name) >> 1;
  }
  entries_[entry_count_++] = e;
  number = entry_count_;
}

void Batch::fill_table() {
  for (std::uint32_t i = 0; i < entry_count_; ++i) {
    if (i + kAhead < entry_count_)
      __builtin_prefetch(&table_[table_place(entries_[i + kAhead].hash)]);
    Entry& e = entries_[i];
    std::uint32_t bit = filter_place(e.hash);
    filter_[bit / 64] |= std::uint64_t{1} << bit % 64;
    std::uint32_t& head = table_[table_place(e.hash)];
    e.next = head;
    head = i + 1;
  }
}

const char* Batch::name_of(Entry& e) const {
  if (e.name == nullptr) {
    const elf::Image& image = users_[e.user]->image;
    // An offset outside the table was refused for undefined symbols; a defined one that has it
    // cannot be equal to any name.
    const char* name = image.strings.at(image.symbols[e.symbol].st_name);
    e.name = name == nullptr ? "" : name;
  }
  return e.name;
}

/// Is `symbol` of `module`, which has the entry's hash, its definition? `name`: of the symbol, read
/// when it is needed. If so, what is to be known of the entry is known, and it is set.
bool Batch::takes(Entry& e, Module& m, std::uint32_t symbol, const char*& name) {
  Module& user = *users_[e.user];
  if (&user != &m || e.symbol != symbol) {
    if (name == nullptr) {
      name = m.image.strings.at(m.image.symbols[symbol].st_name);
      if (name == nullptr) return false;
    }
    if (!same_name(name, name_of(e))) return false;
  } else if (m.image.symbols[symbol].st_name >= m.image.strings.size) {
    return false;
  }
  constexpr unsigned kAddress = 1u << static_cast<unsigned>(Purpose::address);
  Request request{.version = version_of(user, e.symbol),
                  .purpose = (e.purposes & kAddress) != 0 ? Purpose::address : Purpose::call};
  const Sym* s = &m.image.symbols[symbol];
  switch (match(m, symbol, request)) {
  case Match::no: return false;
  case Match::yes: break;
  case Match::default_version:
    // The choice among the versions of one module: left to the definition of what is right.
    request.name = name_of(e);
    request.hash = hash_of_name(request.name);
    s = find_in_module(m, request);
    if (s == nullptr) return false;
    break;
  }
  // A canonical PLT entry is the answer for one purpose and not for the other.
  if (s->st_shndx == SHN_UNDEF && (e.purposes & ~kUndefined) != kAddress) {
    e.state = State::depends;
    return true;
  }
  settle(e, m, *s);
  return true;
}

/// Notes what was found, as an address where that says it all.
void Batch::settle(Entry& e, Module& m, const Sym& s) const {
  e.state = State::found;
  e.provider = &m;
  e.definition = &s;
  constexpr unsigned kOrdinary =
      1u << STT_NOTYPE | 1u << STT_OBJECT | 1u << STT_FUNC | 1u << STT_COMMON;
  // An undefined reference is bound to what is found; a defined one may be STV_PROTECTED, which is
  // all the same where it has found itself.
  bool is_the_end =
      (e.purposes & kUndefined) != 0 || &s == &users_[e.user]->image.symbols[e.symbol];
  const elf::Segments& segments = m.image.segments;
  if (is_the_end && (kOrdinary >> elf::sym_type(s) & 1) != 0 &&
      elf::sym_binding(s) != STB_GNU_UNIQUE && s.st_shndx != SHN_ABS &&
      s.st_value - segments.start.value <= segments.end.value - segments.start.value) {
    e.state = State::settled;
    e.address = (m.image.bias + LinkAddr{s.st_value}).value;
  }
}

void Batch::offer_one(Module& m, const Exported& x) {
  const char* name = nullptr;
  for (std::uint32_t* place = &table_[table_place(x.hash)]; *place != 0;) {
    Entry& e = entries_[*place - 1];
    if (e.hash == x.hash && takes(e, m, x.symbol, name))
      *place = e.next;
    else
      place = &e.next;
  }
}

/// Brings nearer the two names that takes() will compare: neither is where others are.
void Batch::prefetch_names(const Module& m, const Exported& x) const {
  std::uint32_t n = table_[table_place(x.hash)];
  if (n == 0) return;
  const Entry& e = entries_[n - 1];
  if (e.hash != x.hash || (users_[e.user] == &m && e.symbol == x.symbol)) return;
  __builtin_prefetch(e.name);
  __builtin_prefetch(m.image.strings.data + m.image.symbols[x.symbol].st_name);
}

void Batch::offer(Module& m, const Exported* x, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) {
      __builtin_prefetch(&table_[table_place(x[i + kAhead].hash)]);
      __builtin_prefetch(&m.image.symbols[x[i + kAhead].symbol]);
    }
    if (i + kAhead / 2 < count)
      if (std::uint32_t n = table_[table_place(x[i + kAhead / 2].hash)]; n != 0)
        __builtin_prefetch(&entries_[n - 1]);
    if (i + kAhead / 4 < count) prefetch_names(m, x[i + kAhead / 4]);
    offer_one(m, x[i]);
  }
}

void Batch::stream_gnu(Module& m) {
  const elf::GnuHash& gnu = m.image.gnu_hash;
  Exported passed[kPortion];
  std::uint32_t limit = m.image.gnu_hashed_end();
  for (std::uint32_t from = gnu.first; from < limit; from += kPortion) {
    std::uint32_t to = limit - from < kPortion ? limit : from + kPortion;
    std::size_t count = 0;
    for (std::uint32_t i = from; i < to; ++i) {  // no branch depends on the data
      std::uint32_t hash = gnu.chain[i - gnu.first] >> 1, bit = filter_place(hash);
      passed[count] = {i, hash};
      count += filter_[bit / 64] >> bit % 64 & 1;
    }
    offer(m, passed, count);
  }
}

/// Without stored hashes the names are hashed; what the chains hold is what can be found.
void Batch::stream_sysv(Module& m) {
  const elf::SysvHash& h = m.image.sysv_hash;
  std::uint32_t steps = 0;
  for (std::uint32_t bucket = 0; bucket < h.bucket_count; ++bucket)
    for (std::uint32_t i = h.buckets[bucket]; i != 0 && i < h.chain_count; i = h.chain[i]) {
      if (++steps > h.chain_count) return;  // a cycle in the file
      const char* name = m.image.strings.at(m.image.symbols[i].st_name);
      if (name == nullptr || sysv_hash(name) % h.bucket_count != bucket) continue;
      std::uint32_t hash = hash_of_name(name) >> 1, bit = filter_place(hash);
      if ((filter_[bit / 64] >> bit % 64 & 1) != 0) offer_one(m, {i, hash});
    }
}

void Batch::stream(Module& m) {
  if (__atomic_load_n(&m.leaving, __ATOMIC_ACQUIRE)) return;
  if (m.image.gnu_hash.bucket_count != 0)
    stream_gnu(m);
  else if (m.image.sysv_hash.bucket_count != 0)
    stream_sysv(m);
}

void Batch::run() {
  fill_table();
  for (const load::ModuleList* list : lists_)
    for (std::uint32_t i = 0; list != nullptr && i < list->count; ++i) stream(*list->modules[i]);
}

}  // namespace myld::scope
