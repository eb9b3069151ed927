// Many references looked up at once: a hash join.
//
// A relocation by itself asks every module of the scope in turn, so a start costs references times
// modules. Here the references of all modules are collected first, in a table by hash; then the
// hashes that each module exports, which DT_GNU_HASH holds in an array, are streamed past the table
// in the order of the scope, and the first definition takes the reference out of it. A start then
// costs references plus exported symbols. A symbol that its own module exports has its hash there,
// so its name is neither hashed nor compared unless another module has the same hash.
//
// What is found is exactly what scope::find() finds, reference for reference; find() stays the
// definition of what is right, and what a batch leaves open is looked up with it.
//
// DT_GNU_HASH is taken at its word: an entry in the chain array that the table's own buckets or
// filter would hide is found here.
#pragma once
#include "rtld/scope/lookup.hpp"

#include <span>

namespace myld::scope {

class Batch {
public:
  enum class State : std::uint8_t {
    wanted,  ///< nothing was found: after run() there is no definition
    found,
    /// Found, and its address is known: of an ordinary definition that conclude() would not change.
    settled,
    /// What was found counts for one purpose and not for the other, or looking went on for too
    /// long: ask resolve().
    depends,
  };
  /// A reference that was collected: two to a cache line.
  struct Entry {
    std::uint32_t hash;  ///< gnu_hash(name) >> 1: the part that DT_GNU_HASH keeps
    union {
      std::uint32_t next;        ///< while wanted: number + 1 of the next with this hash slot, or 0
      std::uint32_t definition;  ///< when found or settled: in the provider's symbol table
    };
    std::uint32_t symbol;   ///< in the user's table
    std::uint16_t user;     ///< position in `users`
    std::uint8_t purposes;  ///< bit 1 << Purpose, and kUndefined
    State state;
    union {
      const char* name;        ///< while wanted; nullptr: not read yet
      std::uintptr_t address;  ///< when settled: the run address
    };
    Module* provider;  ///< when found or settled, else nullptr

    Definition result() const {
      if (provider == nullptr) return {};
      return {provider, &provider->image.symbols[definition]};
    }
  };
  static_assert(sizeof(Entry) == 32);
  /// Entry::purposes: the user itself does not define the symbol.
  static constexpr std::uint8_t kUndefined = 0x80;

  constexpr Batch() = default;
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  /// Room for `references` of `users`, all looked up in the lists `first` and then `second`
  /// (nullptr: none), but for those that look at themselves first. False when memory ran out, or
  /// there are too many users: there is no batch.
  bool prepare(std::span<Module* const> users,
               std::uint64_t references,
               const load::ModuleList* first,
               const load::ModuleList* second);

  /// Adds references of one module.
  class Collector {
  public:
    Collector(Batch& batch, std::uint32_t user);
    /// Adds one. Ignored: what need not be looked up (symbol 0, Purpose copy) or cannot be (a
    /// symbol outside the table). Needs: no more than prepare()'s `references` calls.
    void want(std::uint32_t symbol, Purpose purpose) {
      if (purpose == Purpose::copy || symbol >= limit_) return;
      // Most symbols are named by several relocations.
      if (std::uint32_t number = numbers_[symbol]; number != 0)
        entries_[number - 1].purposes |= bit_of(purpose);
      else
        add(symbol, bit_of(purpose));
    }
    /// Brings nearer the name that want() will hash, if any.
    [[gnu::always_inline]] void prefetch_name(std::uint32_t symbol) const {
      if (symbol >= limit_ || symbol - first_hashed_ < hashed_count_ || numbers_[symbol] != 0)
        return;
      const elf::Image& image = module_.image;
      prefetch_string(image.strings.data + image.symbols[symbol].st_name);
    }

  private:
    void add(std::uint32_t symbol, std::uint8_t purpose_bit);
    bool read_own(Entry& entry);

    Batch& batch_;
    Module& module_;
    std::uint32_t* numbers_;  ///< Batch::numbers_ of the module
    Entry* entries_;
    std::uint32_t limit_;                        ///< of symbols
    std::uint32_t first_hashed_, hashed_count_;  ///< symbols whose hashes DT_GNU_HASH has
    std::uint16_t user_;
    bool itself_first_;
  };
  /// The same for a single reference of module number `user`.
  void want(std::uint32_t user, std::uint32_t symbol, Purpose purpose) {
    Collector(*this, user).want(symbol, purpose);
  }

  /// Looks everything up.
  void run();

  /// The entry of a reference of `users[user]` if its address is known, else nullptr.
  /// Needs: run() was called.
  const Entry* settled(std::uint32_t user, std::uint32_t symbol, Purpose purpose) const {
    return OfUser(*this, user).settled(symbol, purpose);
  }
  /// What was found for a reference of `users[user]`, before conclude(). nullptr: it is not known
  /// here, ask resolve(). Needs: run() was called.
  const Entry* find(std::uint32_t user, std::uint32_t symbol, Purpose purpose) const {
    const Entry* e = wanted_for(user, symbol, purpose);
    return e != nullptr && e->state != State::depends ? e : nullptr;
  }
  bool empty() const { return entry_count_ == 0; }
  /// How often an entry was offered what it did not take, at places where many wait.
  std::uint64_t passed() const { return passed_; }

  /// What one user's references were bound to, for whoever goes through thousands of them.
  /// Needs: run() was called.
  class OfUser {
  public:
    constexpr OfUser() = default;
    OfUser(const Batch& batch, std::uint32_t user)
        : numbers_(batch.numbers_[user]), entries_(batch.entries_) {}
    /// Needs: `symbol` is in the user's table.
    const Entry* settled(std::uint32_t symbol, Purpose purpose) const {
      std::uint32_t number = numbers_[symbol];
      if (number == 0) return nullptr;
      const Entry& e = entries_[number - 1];
      return e.state == State::settled && (e.purposes & bit_of(purpose)) != 0 ? &e : nullptr;
    }

  private:
    const std::uint32_t* numbers_ = nullptr;
    const Entry* entries_ = nullptr;
  };

private:
  struct Exported {
    std::uint32_t symbol, hash;
  };
  static constexpr std::uint8_t bit_of(Purpose purpose) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(purpose));
  }
  const Entry* wanted_for(std::uint32_t user, std::uint32_t symbol, Purpose purpose) const {
    std::uint32_t number = numbers_[user][symbol];
    if (number == 0) return nullptr;
    const Entry& e = entries_[number - 1];
    return (e.purposes & bit_of(purpose)) != 0 ? &e : nullptr;
  }
  std::uint32_t filter_place(std::uint32_t hash) const { return hash * kMix >> filter_shift_; }
  std::uint32_t table_place(std::uint32_t hash) const { return hash * kMix >> table_shift_; }
  const Sym* own_definition(const Entry& entry, const Module& user) const;
  void fill_table();
  void stream(Module& module);
  void stream_gnu(Module& module);
  void stream_sysv(Module& module);
  /// Of a name that is not longer than usual. Inline, as all that only prefetches: GCC takes out
  /// calls of functions that have no effect but that.
  [[gnu::always_inline]] static void prefetch_string(const char* s) {
    constexpr std::size_t kUsual = 56;
    __builtin_prefetch(s);
    __builtin_prefetch(s + kUsual);
  }
  void prefetch_names(const Module& module, std::uint32_t user, const Exported& exported) const;
  std::uint32_t user_number(const Module& module) const;
  void offer(Module& module, std::uint32_t user, const Exported* exported, std::size_t count);
  void offer_one(Module& module, std::uint32_t user, const Exported& exported);
  void note_passed(std::uint32_t& head, std::uint32_t entries);
  const char* name_of(Entry& entry) const;
  const Sym* default_version(Entry& entry, const Module& module) const;
  bool takes(Entry& entry, Module& module, std::uint32_t symbol, const char*& name);
  bool takes_own(Entry& entry, Module& user) const;
  bool conclude_with(Entry& entry, Module& module, const Sym& definition) const;
  void settle(Entry& entry, Module& module, const Sym& definition) const;

  static constexpr std::uint32_t kMix = 0x9e3779b1;  // 2^32 / golden ratio: spreads neighbours

  std::span<Module* const> users_;
  const load::ModuleList* lists_[2] = {};
  std::uint32_t** numbers_ = nullptr;     ///< of each user, by symbol: number of its entry + 1
  std::uint32_t* hashed_ends_ = nullptr;  ///< of each user: Image::gnu_hashed_end()
  Entry* entries_ = nullptr;
  std::uint32_t entry_count_ = 0, capacity_ = 0;
  // From run() on, in what entries_ left:
  std::uint32_t* table_ = nullptr;   ///< number + 1 of the first open entry, by hash
  std::uint64_t* filter_ = nullptr;  ///< a bit for every wanted hash
  unsigned table_shift_ = 0, filter_shift_ = 0;
  std::uint64_t offered_ = 0, passed_ = 0;  ///< references and symbols; entries that took none
  void* memory_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Does the module's own scope come before all others (DT_SYMBOLIC)? Needs: its scopes are made.
inline bool looks_at_itself_first(const Module& m) {
  return m.scopes->count != 0 && m.scopes->scopes[0] == &m.own;
}

/// What a batch costs beside its references and what is streamed past them - the arena, its pages,
/// the table -, in exported hashes streamed past.
inline constexpr std::uint64_t kBatchCost = 10000;

/// Is a batch worth it? Below some hundred references the table costs more than asking around.
/// `references`: upper bound of what will be wanted. `cost`: kBatchCost, or less for tests.
bool worth_a_batch(std::uint64_t references,
                   const load::ModuleList* first,
                   const load::ModuleList* second,
                   std::uint64_t cost);

}  // namespace myld::scope
