#include "rtld/scope/name_index.hpp"

#include "loader/heap/heap.hpp"

namespace myld::scope {

/// The block on the heap that ModuleList::names is. Source of the shape: linear probing, which
/// keeps what shares a place in the order of its coming.
struct NameIndex {
  std::size_t bytes;    ///< of the block: release_list() reads it
  std::uint32_t shift;  ///< 64 - log2 of the entries
  std::uint32_t used;
  std::uint32_t mask;
  std::uint32_t spare;
  std::uint32_t entries[];  ///< 0, or position + 1 in the low half and part of the hash in the high
};

namespace {

constexpr std::uint32_t kMostModules = 0xfffe;
constexpr std::size_t kMostBytes = 4 * 1024 * 1024;
/// Runs of entries that are longer make the table worse than none.
constexpr std::uint32_t kLongestRun = 96;
/// Asking a module costs about half of what entering a name does.
constexpr std::uint64_t kAskedPerName = 2;
/// A list is looked at when it has been asked as a whole so many times.
constexpr std::uint64_t kFirstLook = 32;

struct Place {
  std::uint32_t at, tag;
};

/// `hash`: without its lowest bit, which DT_GNU_HASH does not keep.
Place place_of(const NameIndex& index, std::uint32_t hash) {
  constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
  std::uint64_t mixed = (hash >> 1) * kMix;
  return {static_cast<std::uint32_t>(mixed >> index.shift),
          static_cast<std::uint32_t>(mixed << 8) & 0xffff0000};
}

std::uint64_t exported(const Module& m) {
  const elf::Image& image = m.image;
  std::uint32_t first = image.gnu_hash.bucket_count != 0 ? image.gnu_hash.first : 0;
  return first < image.symbol_limit ? image.symbol_limit - first : 0;
}

/// Does `m` define the name of `symbol` of `other` so that nobody who asks for the name, whatever
/// the version, gets past it?
bool defines_for_all(const Module& m, const Module& other, std::uint32_t symbol) {
  if (m.image.versym != nullptr) return false;
  const char* name = other.image.strings.at(other.image.symbols[symbol].st_name);
  if (name == nullptr) return false;
  const Sym* s = find_in_module(m, Request::of(name, nullptr, Purpose::call));
  return s != nullptr && s->st_shndx != SHN_UNDEF;
}

class Filler {
public:
  Filler(NameIndex& index, const load::ModuleList& list) : index_(index), list_(list) {}

  /// False: the table is no good.
  bool add(std::uint32_t position) {
    const Module& m = *list_.modules[position];
    const elf::GnuHash& gnu = m.image.gnu_hash;
    if (gnu.bucket_count != 0) {
      std::uint32_t end = m.image.gnu_hashed_end();
      for (std::uint32_t i = gnu.first; i < end; ++i)
        if (!enter(position, i, gnu.chain[i - gnu.first])) return false;
    } else if (m.image.sysv_hash.bucket_count != 0) {
      for (std::uint32_t i = 1; i < m.image.symbol_limit; ++i) {
        const char* name = m.image.strings.at(m.image.symbols[i].st_name);
        if (name != nullptr && !enter(position, i, hash_of_name(name))) return false;
      }
    }
    return true;
  }

private:
  bool enter(std::uint32_t position, std::uint32_t symbol, std::uint32_t hash) {
    Place place = place_of(index_, hash);
    for (std::uint32_t run = 0; run < kLongestRun; ++run) {
      std::uint32_t& entry = index_.entries[(place.at + run) & index_.mask];
      if (entry == 0) {
        if (index_.used * 2 > index_.mask) return false;
        ++index_.used;
        // Readers may be here: an entry is one store.
        __atomic_store_n(&entry, place.tag | (position + 1), __ATOMIC_RELEASE);
        return true;
      }
      if ((entry & 0xffff0000) != place.tag) continue;
      std::uint32_t other = (entry & 0xffff) - 1;
      if (other == position) return true;
      if (defines_for_all(*list_.modules[other], *list_.modules[position], symbol)) return true;
    }
    return false;
  }

  NameIndex& index_;
  const load::ModuleList& list_;
};

}  // namespace

void consider_index(load::ModuleList& list) {
  auto look_again_at = [&](std::uint64_t asked) {
    __atomic_store_n(&list.next_look, asked, __ATOMIC_RELAXED);
  };
  if (list.next_look == kNever) return;
  if (list.names != nullptr) return look_again_at(kNever);
  if (list.count > kMostModules) return look_again_at(kNever);
  std::uint64_t names = 0;
  for (std::uint32_t i = 0; i < list.count; ++i) names += exported(*list.modules[i]);
  std::uint64_t pays = names * kAskedPerName;
  if (pays < kFirstLook * list.count) pays = kFirstLook * list.count;
  if (__atomic_load_n(&list.asked, __ATOMIC_RELAXED) < pays) return look_again_at(pays);
  look_again_at(kNever);  // whatever becomes of it
  unsigned bits = 10;
  while ((std::uint64_t{1} << bits) < names * 2) ++bits;
  std::size_t bytes = sizeof(NameIndex) + (sizeof(std::uint32_t) << bits);
  if (bytes > kMostBytes) return;
  auto* index = static_cast<NameIndex*>(heap::allocate(bytes));
  if (index == nullptr) return;
  index->bytes = bytes;
  index->shift = 64 - bits;
  index->mask = (std::uint32_t{1} << bits) - 1;
  Filler filler(*index, list);
  for (std::uint32_t i = 0; i < list.count; ++i)
    if (!filler.add(i)) {
      heap::release(index, bytes);
      return;
    }
  list.owns_names = true;
  __atomic_store_n(&list.names, index, __ATOMIC_RELEASE);
}

void continue_index(load::ModuleList* old, load::ModuleList& list) {
  if (old == nullptr) return;
  list.asked = old->asked;
  // A list that was found to be no good for a table may be by what follows.
  list.next_look = kFirstLook * list.count;
  auto* index = static_cast<NameIndex*>(old->names);
  if (index == nullptr || list.count > kMostModules) return;
  std::uint64_t more = 0;
  for (std::uint32_t i = old->count; i < list.count; ++i) more += exported(*list.modules[i]);
  if ((index->used + more) * 2 > index->mask) return;
  Filler filler(*index, list);
  for (std::uint32_t i = old->count; i < list.count; ++i)
    if (!filler.add(i)) return;  // what was entered leads shorter lists nowhere
  list.names = index;
  list.owns_names = true;
  list.next_look = kNever;
  old->owns_names = false;
}

Definition find_by_index(const load::ModuleList& list, const Request& r, bool& known) {
  const auto* index = static_cast<const NameIndex*>(__atomic_load_n(&list.names, __ATOMIC_ACQUIRE));
  known = true;
  Place place = place_of(*index, r.hash);
  for (std::uint32_t at = place.at;; at = (at + 1) & index->mask) {
    std::uint32_t entry = __atomic_load_n(&index->entries[at], __ATOMIC_ACQUIRE);
    if (entry == 0) return {};
    if ((entry & 0xffff0000) != place.tag) continue;
    std::uint32_t position = (entry & 0xffff) - 1;
    if (position >= list.count) continue;
    Module* m = list.modules[position];
    const Sym* s = find_in_module(*m, r);
    if (s == nullptr) continue;
    // Those behind it may not have been entered, since it stood in front of them.
    known = !__atomic_load_n(&m->leaving, __ATOMIC_ACQUIRE);
    return {m, s};
  }
}

}  // namespace myld::scope
