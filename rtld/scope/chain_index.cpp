#include "rtld/scope/chain_index.hpp"

#include "loader/base/mem.hpp"
#include "loader/heap/hash.hpp"
#include "loader/heap/heap.hpp"
#include "rtld/scope/match.hpp"

#include <algorithm>

namespace myld::scope {

#ifdef MYLD_HOSTED
std::uint32_t g_patience = 64;
#endif

namespace {

using elf::Image;

/// Module::walked of one that gets no index.
constexpr std::uint32_t kNever = ~std::uint32_t{0};

/// What an entry counts as. A definition is of at most two kinds: one that matters to requests with
/// a version, and one that matters to those without.
enum class Kind : std::uint8_t {
  any,            ///< of a module without versions
  versioned,      ///< of a version with a name, which is part of the key
  not_versioned,  ///< of a version without a name, and not hidden
  base,           ///< not hidden, no version: 0 or 1 (VER_NDX_LOCAL, VER_NDX_GLOBAL)
  first,          ///< not hidden, version 2
  later,          ///< not hidden, a version above
};

struct Entry {
  std::uint64_t key;
  std::uint32_t symbol;  ///< in the module's table
  std::uint32_t order;   ///< in its chain
};

/// The block on the heap that Module::rests is: entries in the order of their keys, and those of a
/// key in the order of their chain.
struct ChainIndex {
  std::size_t bytes;  ///< of the block
  std::size_t count;
  Entry entries[];
};

/// `canonical`: undefined and with an address, which counts for Purpose::address alone. `version`:
/// of Kind::versioned.
std::uint64_t
key_of(std::uint64_t name_hash, Kind kind, bool canonical, const elf::Version* version) {
  constexpr unsigned kKindBits = 4;
  std::uint64_t h = name_hash;
  if (version != nullptr) h = hash_bytes(&h, sizeof h) + hash_string(version->name) + version->hash;
  return h << kKindBits | static_cast<std::uint64_t>(kind) << 1 | (canonical ? 1 : 0);
}

/// The version of an entry if it has a name, else nullptr. Needs: module.image.versym.
const elf::Version* named_version(const Module& m, std::uint32_t symbol) {
  std::uint16_t v = m.image.versym[symbol] & elf::kVersionIndexMask;
  return v < m.versions.size() && m.versions[v].name != nullptr ? &m.versions[v] : nullptr;
}

/// Calls visit(key) for each kind that a symbol is of.
template <class Visit>
void each_key(const Module& m, std::uint32_t symbol, const char* name, Visit visit) {
  const Sym& s = m.image.symbols[symbol];
  if (!is_definition(s, Purpose::address)) return;
  bool canonical = s.st_shndx == SHN_UNDEF;
  std::uint64_t hash = hash_string(name);
  if (m.image.versym == nullptr) return visit(key_of(hash, Kind::any, canonical, nullptr));
  const elf::Version* version = named_version(m, symbol);
  bool hidden = (m.image.versym[symbol] & elf::kVersionHidden) != 0;
  if (version != nullptr)
    visit(key_of(hash, Kind::versioned, canonical, version));
  else if (!hidden)
    visit(key_of(hash, Kind::not_versioned, canonical, nullptr));
  if (hidden) return;
  std::uint16_t v = m.image.versym[symbol] & elf::kVersionIndexMask;
  visit(key_of(hash, v < 2 ? Kind::base : v == 2 ? Kind::first : Kind::later, canonical, nullptr));
}

// ---- What is in the rests --------------------------------------------------------------------

/// The rests of DT_GNU_HASH's chains: entry `i` is in the chain of its bucket if the chain begins
/// in the same run of entries, which an odd hash ends.
template <class Visit>
bool each_in_rests(const Module& m, const elf::GnuHash& h, Visit visit) {
  std::uint32_t end = m.image.gnu_hashed_end();
  std::uint32_t run = h.first;
  for (std::uint32_t i = h.first; i < end; ++i) {
    std::uint32_t stored = h.chain[i - h.first];
    const char* name =
        i - run < patience() ? nullptr : m.image.strings.at(m.image.symbols[i].st_name);
    if (name != nullptr) {
      std::uint32_t hash = hash_of_name(name), start = h.buckets[hash % h.bucket_count];
      if ((stored ^ hash) >> 1 == 0 && start >= run && start <= i && i - start >= patience())
        visit(i, name, i);
    }
    if ((stored & 1) != 0) run = i + 1;
  }
  return true;
}

/// The rests of DT_HASH's chains. False: they are longer than there are symbols, since they meet or
/// go in circles. elf::read_image() lets no such file through where this is its only table.
template <class Visit>
bool each_in_rests(const Module& m, const elf::SysvHash& h, Visit visit) {
  std::uint32_t steps = 0;
  for (std::uint32_t bucket = 0; bucket < h.bucket_count; ++bucket) {
    std::uint32_t at = 0;
    for (std::uint32_t i = h.buckets[bucket]; i != 0 && i < h.chain_count; i = h.chain()[i], ++at) {
      if (++steps >= h.chain_count) return false;
      if (at < patience()) continue;
      const char* name = m.image.strings.at(m.image.symbols[i].st_name);
      if (name != nullptr && sysv_hash(name) % h.bucket_count == bucket) visit(i, name, at);
    }
  }
  return true;
}

/// Calls visit(Entry) for all of the index. False: there can be none.
template <class Visit>
bool each_entry(const Module& m, Visit visit) {
  auto visit_symbol = [&](std::uint32_t symbol, const char* name, std::uint32_t order) {
    each_key(m, symbol, name, [&](std::uint64_t key) { visit(Entry{key, symbol, order}); });
  };
  return m.image.gnu_hash.bucket_count != 0 ? each_in_rests(m, m.image.gnu_hash, visit_symbol)
                                            : each_in_rests(m, m.image.sysv_hash, visit_symbol);
}

/// nullptr: no memory, or, if `possible` is false, the table has no index.
ChainIndex* make_index(const Module& m, bool& possible) {
  std::size_t count = 0;
  possible = each_entry(m, [&](const Entry&) { ++count; });
  if (!possible) return nullptr;
  // Blocks of this size are mappings of their own: no lock is taken, which a signal handler that
  // binds a function might find taken.
  constexpr std::size_t kOwnMapping = heap::kLargestInChunk + 1;
  std::size_t bytes = std::max(sizeof(ChainIndex) + count * sizeof(Entry), kOwnMapping);
  auto* index = static_cast<ChainIndex*>(heap::allocate_unfilled(bytes));
  if (index == nullptr) return nullptr;
  index->bytes = bytes;
  index->count = 0;
  // Somebody may write to the file meanwhile: there are never more than were counted.
  each_entry(m, [&](const Entry& e) {
    if (index->count < count) index->entries[index->count++] = e;
  });
  auto before = [](const Entry& a, const Entry& b) {
    return a.key != b.key ? a.key < b.key : a.order < b.order;
  };
  // By a heap: it calls itself nowhere, and the stack may be a signal handler's.
  std::make_heap(index->entries, index->entries + index->count, before);
  std::sort_heap(index->entries, index->entries + index->count, before);
  return index;
}

// ---- What is found in them -------------------------------------------------------------------

class Finder {
public:
  Finder(const ChainIndex& index, const Module& m, const Request& r)
      : index_(index), m_(m), r_(r), hash_(hash_string(r.name)) {}

  /// The first entry of a kind that counts for the request, or nullptr.
  const Entry* first(Kind kind) const {
    const Entry* defined = first(kind, false);
    return r_.purpose == Purpose::address ? earlier(defined, first(kind, true)) : defined;
  }
  const Entry* first_of(Kind a, Kind b) const { return earlier(first(a), first(b)); }
  const Sym* symbol(const Entry* e) const {
    return e == nullptr ? nullptr : &m_.image.symbols[e->symbol];
  }

private:
  static const Entry* earlier(const Entry* a, const Entry* b) {
    if (a == nullptr || b == nullptr) return a == nullptr ? b : a;
    return b->order < a->order ? b : a;
  }
  const Entry* first(Kind kind, bool canonical) const {
    const elf::Version* version = kind == Kind::versioned ? r_.version : nullptr;
    std::uint64_t key = key_of(hash_, kind, canonical, version);
    const Entry* end = index_.entries + index_.count;
    const Entry* e = std::lower_bound(
        index_.entries, end, key, [](const Entry& each, std::uint64_t k) { return each.key < k; });
    for (; e != end && e->key == key; ++e)
      if (is(*e, version)) return e;
    return nullptr;
  }
  /// Is it the key's name and version, and not only its hash?
  bool is(const Entry& e, const elf::Version* version) const {
    const char* name = m_.image.strings.at(m_.image.symbols[e.symbol].st_name);
    if (name == nullptr || !same_name(name, r_.name)) return false;
    if (version == nullptr) return true;
    const elf::Version* own = named_version(m_, e.symbol);
    return own != nullptr && is_same_version(*own, *version);
  }

  const ChainIndex& index_;
  const Module& m_;
  const Request& r_;
  std::uint64_t hash_;
};

}  // namespace

bool find_in_index(const Module& m, const Request& r, Answer& answer) {
  const auto* index = static_cast<const ChainIndex*>(__atomic_load_n(&m.rests, __ATOMIC_ACQUIRE));
  if (index == nullptr) return false;
  Finder f(*index, m, r);
  const Entry* found = nullptr;
  const Entry* fallback = nullptr;
  if (m.image.versym == nullptr) {
    found = f.first(Kind::any);
  } else if (r.version != nullptr) {
    found = r.hidden_version_ok ? f.first(Kind::versioned)
                                : f.first_of(Kind::versioned, Kind::not_versioned);
  } else if (r.newest) {
    found = f.first(Kind::base);
    fallback = f.first_of(Kind::first, Kind::later);
  } else {
    found = f.first_of(Kind::base, Kind::first);
    fallback = f.first(Kind::later);
  }
  answer.found = f.symbol(found);
  if (answer.fallback == nullptr) answer.fallback = f.symbol(fallback);
  return true;
}

void note_walked(const Module& m, std::uint32_t entries) {
  std::uint32_t before = __atomic_load_n(&m.walked, __ATOMIC_RELAXED);
  if (before == kNever) return;
  // Readers may lose each other's counts: it is an estimate.
  std::uint32_t walked = entries < kNever - 1 - before ? before + entries : kNever - 1;
  __atomic_store_n(&m.walked, walked, __ATOMIC_RELAXED);
  if (walked / kWalkedPerSymbol < m.image.symbol_limit) return;
  bool possible = false;
  ChainIndex* index = make_index(m, possible);
  if (index == nullptr) {  // without memory: to be tried again when as much was read once more
    __atomic_store_n(&m.walked, possible ? 0 : kNever, __ATOMIC_RELAXED);
    return;
  }
  void* none = nullptr;
  if (!__atomic_compare_exchange_n(&m.rests, &none, static_cast<void*>(index), false,
                                   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    heap::release(index, index->bytes);  // another thread was faster
}

}  // namespace myld::scope
