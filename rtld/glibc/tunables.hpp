// glibc's tunables: GLIBC_TUNABLES=name=value:name=value and the older variables that are aliases.
//
// Most tunables are libc's (malloc, pthread), which asks the loader for them by number; a few are
// the loader's own. The numbers are an index into a table that differs from build to build
// (layouts/<isa>/tunables.inc), so nothing is known for good before libc.so.6 has been identified.
// Yet the loader wants a few values earlier than that. Hence init() with the newest table, and
// bind() again with the right one; both are nearly free when the environment sets nothing.
//
// Rules are those of glibc 2.39 and later for every release: the environment is only read; a
// GLIBC_TUNABLES with a syntax error counts as a whole for nothing; a number must be a number to
// its last character and within its bounds; the last assignment of a name wins; an alias counts
// only where GLIBC_TUNABLES does not name the tunable; a process in secure mode (AT_SECURE) has no
// tunables. Source: glibc elf/dl-tunables.c (2.41), tunable_list of each build's ld.so.

#pragma once

#include "rtld/glibc/layouts/known.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>

namespace myld::glibc {

/// The tunables that the loader itself looks at: glibc's name without "glibc.", dots as
/// underscores.
enum class TunableKey : std::uint8_t {
  none,
  rtld_nns,
  rtld_optional_static_tls,
  rtld_dynamic_sort,
  rtld_execstack,
  rtld_enable_secure,
  pthread_rseq,
  mem_tagging,
  cpu_hwcaps,
  cpu_name,
  cpu_prefer_map_32bit_exec,
  cpu_x86_data_cache_size,
  cpu_x86_shared_cache_size,
  cpu_x86_non_temporal_threshold,
  cpu_x86_memset_non_temporal_threshold,
  cpu_x86_rep_movsb_threshold,
  cpu_x86_rep_stosb_threshold,
};

/// The names of the keys, in their order.
inline constexpr std::string_view kTunableKeyNames[] = {
    "",
    "glibc.rtld.nns",
    "glibc.rtld.optional_static_tls",
    "glibc.rtld.dynamic_sort",
    "glibc.rtld.execstack",
    "glibc.rtld.enable_secure",
    "glibc.pthread.rseq",
    "glibc.mem.tagging",
    "glibc.cpu.hwcaps",
    "glibc.cpu.name",
    "glibc.cpu.prefer_map_32bit_exec",
    "glibc.cpu.x86_data_cache_size",
    "glibc.cpu.x86_shared_cache_size",
    "glibc.cpu.x86_non_temporal_threshold",
    "glibc.cpu.x86_memset_non_temporal_threshold",
    "glibc.cpu.x86_rep_movsb_threshold",
    "glibc.cpu.x86_rep_stosb_threshold",
};

/// All variables that count begin like this: GLIBC_TUNABLES, MALLOC_* and two of LD_*. For nearly
/// every entry of a usual environment the first byte decides.
constexpr bool may_set_tunables(const char* entry) {
  auto begins_with = [entry](std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i)
      if (entry[i] != text[i]) return false;
    return true;
  };
  return begins_with("GLIBC_T") || begins_with("MAL") || begins_with("LD_H") ||
         begins_with("LD_PREF");
}

void an_alias_is_not_known_to_may_set_tunables();  // nowhere, so no constant expression either

/// The key of each of `tunables`, in their order.
template <std::size_t N>
consteval std::array<TunableKey, N> tunable_keys(const Tunable (&tunables)[N]) {
  std::array<TunableKey, N> keys{};
  for (std::size_t i = 0; i < N; ++i) {
    if (tunables[i].env_alias[0] != 0 && !may_set_tunables(tunables[i].env_alias))
      an_alias_is_not_known_to_may_set_tunables();
    for (std::size_t key = 1; key < std::size(kTunableKeyNames); ++key) {
      if (kTunableKeyNames[key] == tunables[i].name) keys[i] = static_cast<TunableKey>(key);
    }
  }
  return keys;
}

/// The keys of host_known().tunables.
extern const std::span<const TunableKey> kTunableKeys;

/// What libc hands to and gets from the loader: `tunable_val_t`, of which builds before 2.39 know
/// the first 8 bytes only.
struct TunableValue {
  std::uint64_t number_or_address;
  std::uint64_t length;
};

/// Told of what glibc warns of: `name` is null when the whole of GLIBC_TUNABLES is malformed.
struct TunableWarning {
  void (*tell)(void* context, const char* name, std::string_view value);
  void* context;
};

class Tunables {
public:
  /// No build has more ids than this.
  static constexpr unsigned kMaxIds = sizeof(TunableTable::entry);

  /// Reads the environment by the last table of `known`, the newest release's. `keys` are those of
  /// `known`. `envp` ends with a null pointer; the strings are kept, not their array. In `secure`
  /// mode nothing is read. No effect on the environment.
  void init(const Known& known,
            std::span<const TunableKey> keys,
            const char* const* envp,
            bool secure,
            const TunableWarning& warning);

  /// Reads the environment, wherever its array is now, again by table `table` (Layout::tunables),
  /// forgetting what set() did. What was warned of is not warned of twice. `certain` =
  /// Detection::tunables_certain: if not, libc's questions by id go unanswered (a wrong type would
  /// overwrite its stack), and it works with its own defaults.
  /// Needs: init(). Gives: false if there is no such table.
  bool bind(unsigned table, bool certain, const char* const* envp);

  /// glibc.rtld.enable_secure=1 was given: the process is to behave as with AT_SECURE, and no other
  /// tunable counts.
  bool asks_for_secure_mode() const { return asks_secure_; }

  // The loader's own questions, by key. A build that lacks the tunable answers its `absent`.

  std::uint64_t number(TunableKey key, std::uint64_t absent) const;
  /// Empty where unset. Points into the environment; not terminated.
  std::string_view string(TunableKey key) const;
  /// The user, or set(), gave a value.
  bool is_set(TunableKey key) const;
  /// Stores a value that the loader computed and narrows the bounds, for libc's reads and for
  /// print(). As in glibc: outside the bounds nothing happens, else the tunable counts as set.
  void set(TunableKey key, std::uint64_t value, std::uint64_t min, std::uint64_t max);

  // libc's questions, by id.

  /// `__tunable_get_val`: stores the value to `out`, 4 bytes for int_32, 8 for the other numbers; a
  /// string is the address of {pointer, length} for builds with 16-byte values (2.39 and later),
  /// else a `const char*`. Then, if the tunable is set, calls `callback` with the address of its
  /// TunableValue. `out` may not be null; an id out of range stores nothing.
  /// Before 2.39 strings are terminated, which one inside GLIBC_TUNABLES is not: those builds get a
  /// null pointer unless it is the last. (Their libc.so.6 asks for no string.)
  void get_val(unsigned id, void* out, void (*callback)(TunableValue*), bool wide_values) const;
  /// `__tunable_is_initialized`.
  bool is_initialized(unsigned id) const { return id < answered() && slots_[id].set; }

  /// Writes "name: value (min: m, max: n)\n" for each id in order, as `ld.so --list-tunables` does,
  /// through `write`, which is called with pieces of text.
  void print(void (*write)(void* context, std::string_view text), void* context) const;

private:
  struct Slot {
    TunableValue value;
    std::uint64_t min, max;
    bool changed;  ///< `value`, `min` and `max` count, not those of the definition
    bool set;
  };
  struct Text {
    const char* begin;
    std::size_t length;
  };

  unsigned count() const { return table_ == nullptr ? 0 : table_->count; }
  unsigned answered() const { return certain_ ? count() : 0; }
  const Tunable& def(unsigned id) const { return known_->tunables[table_->entry[id]]; }
  void use(const TunableTable& table);
  int find(TunableKey key) const;
  std::uint64_t number_of(unsigned id) const;
  void parse(const char* const* envp, bool warn);
  bool split(const char* list, Text* values) const;
  void apply_list(const char* list, bool warn);
  bool store_text(unsigned id, Text text);
  void store(unsigned id, std::uint64_t value, std::uint64_t min, std::uint64_t max);

  const Known* known_ = nullptr;
  std::span<const TunableKey> keys_{};
  const TunableTable* table_ = nullptr;
  std::int8_t ids_[std::size(kTunableKeyNames)]{};  ///< by key: the id in the table, or -1
  TunableWarning warning_{};
  bool used_ = false;     ///< something in the environment may set a tunable
  bool touched_ = false;  ///< some slot is not in its first state
  bool asks_secure_ = false;
  bool certain_ = false;
  Slot slots_[kMaxIds]{};
};

}  // namespace myld::glibc
