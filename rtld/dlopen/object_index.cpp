#include "rtld/dlopen/object_index.hpp"

#include "loader/base/mem.hpp"
#include "loader/heap/heap.hpp"

#include <algorithm>

namespace myld::dlopen {
namespace {

using Range = ObjectIndex::Range;
using Chunk = ObjectIndex::Chunk;

constinit ObjectIndex* g_index = nullptr;
constinit std::uint64_t g_last_serial = 0;

/// A chunk is copied for each change in it, and the list of chunks for each change anywhere.
constexpr std::uint32_t kChunkRanges = 48;

std::size_t chunk_bytes(std::uint32_t ranges) { return sizeof(Chunk) + ranges * sizeof(Range); }
std::size_t index_bytes(std::uint32_t parts) {
  return sizeof(ObjectIndex) + parts * sizeof(ObjectIndex::Part);
}

ObjectIndex* allocate_index(std::size_t parts) {
  auto* index =
      static_cast<ObjectIndex*>(heap::allocate(index_bytes(static_cast<std::uint32_t>(parts))));
  if (index == nullptr) return nullptr;
  index->serial = ++g_last_serial;
  index->capacity = static_cast<std::uint32_t>(parts);
  return index;
}

Chunk* allocate_chunk(std::size_t ranges) {
  auto n = static_cast<std::uint32_t>(ranges);
  auto* chunk = static_cast<Chunk*>(heap::allocate_unfilled(chunk_bytes(n)));
  if (chunk == nullptr) return nullptr;
  chunk->count = n;
  chunk->last_index = 0;
  return chunk;
}

void append(ObjectIndex& index, Chunk* chunk) {
  index.parts[index.count++] = {chunk->ranges[0].start, chunk};
}

/// Appends chunks of `ranges`, which follow all that the index has. False: no memory.
bool append(ObjectIndex& index, std::span<const Range> ranges) {
  while (!ranges.empty()) {
    // Halves rather than a full chunk and a rest: both have room for neighbours to come.
    std::size_t take = ranges.size() <= kChunkRanges ? ranges.size() : kChunkRanges / 2;
    Chunk* chunk = allocate_chunk(take);
    if (chunk == nullptr) return false;
    memcpy(chunk->ranges, ranges.data(), take * sizeof(Range));
    append(index, chunk);
    ranges = ranges.subspan(take);
  }
  return true;
}

bool before(const Range& a, const Range& b) { return a.start < b.start; }

Range range_of(Module& m) {
  const elf::Phdr* eh = m.image.segments.eh_frame;
  std::uintptr_t eh_frame = eh == nullptr ? 0 : (m.image.bias + LinkAddr{eh->p_vaddr}).value;
  return {m.mapping.start.value, m.mapping.start.value + m.mapping.bytes, &m, eh_frame};
}

/// The ranges of the modules that have a link_map, sorted.
class Ranges {
public:
  /// False: no memory.
  bool take(std::span<Module* const> modules) {
    if (modules.size() == 1) {  // the usual case
      if (modules[0]->link_map == nullptr) return true;
      one_ = range_of(*modules[0]);
      span_ = {&one_, 1};
      return true;
    }
    if (!many_.reserve(modules.size())) return false;
    for (Module* m : modules)
      if (m->link_map != nullptr) many_.push_reserved(range_of(*m));
    std::sort(many_.begin(), many_.end(), before);
    span_ = many_.span();
    return true;
  }
  std::span<const Range> span() const { return span_; }

private:
  Range one_{};
  Vec<Range> many_;
  std::span<const Range> span_;
};

/// Both sorted. `out`: has room for all.
void merge(const Chunk& chunk, std::span<const Range> added, Range* out) {
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < chunk.count; ++i) {
    while (next < added.size() && before(added[next], chunk.ranges[i])) *out++ = added[next++];
    *out++ = chunk.ranges[i];
  }
  while (next < added.size()) *out++ = added[next++];
}

/// Appends what a chunk becomes by `added`. False: no memory.
bool append_merged(const Chunk& chunk, std::span<const Range> added, ObjectIndex& index) {
  std::size_t all = chunk.count + added.size();
  if (all <= kChunkRanges) {
    Chunk* merged = allocate_chunk(all);
    if (merged == nullptr) return false;
    merge(chunk, added, merged->ranges);
    append(index, merged);
    return true;
  }
  Vec<Range> merged;
  if (!merged.reserve(all)) return false;
  merge(chunk, added, merged.data());
  return append(index, std::span<const Range>(merged.data(), all));
}

bool copy_with(const ObjectIndex* old, std::span<const Range> added, ObjectIndex& index) {
  std::size_t next = 0;
  for (std::uint32_t i = 0; old != nullptr && i < old->count; ++i) {
    // What comes before the next chunk belongs to this one.
    std::size_t end = next;
    while (end < added.size() &&
           (i + 1 == old->count || added[end].start < old->parts[i + 1].start))
      ++end;
    std::span<const Range> here = added.subspan(next, end - next);
    next = end;
    if (here.empty()) {
      index.parts[index.count++] = old->parts[i];
      continue;
    }
    if (!append_merged(*old->parts[i].chunk, here, index)) return false;
  }
  return append(index, added.subspan(next));
}

/// Appends what a chunk becomes without `removed`. False: no memory.
bool append_rest(const Chunk& chunk, std::span<const Range> removed, ObjectIndex& index) {
  auto each_kept = [&](auto keep) {
    std::size_t next = 0;
    for (const Range *r = chunk.ranges, *end = r + chunk.count; r != end; ++r) {
      while (next < removed.size() && before(removed[next], *r)) ++next;
      if (next == removed.size() || before(*r, removed[next])) keep(*r);
    }
  };
  std::size_t kept = 0;
  each_kept([&](const Range&) { ++kept; });
  if (kept == 0) return true;
  Chunk* rest = allocate_chunk(kept);
  if (rest == nullptr) return false;
  Range* out = rest->ranges;
  each_kept([&](const Range& r) { *out++ = r; });
  append(index, rest);
  return true;
}

/// `removed`: sorted. A chunk that has none of it is neither read through nor copied.
bool copy_without(const ObjectIndex& old, std::span<const Range> removed, ObjectIndex& index) {
  for (std::uint32_t i = 0; i < old.count; ++i) {
    const Chunk& chunk = *old.parts[i].chunk;
    std::uintptr_t last = chunk.ranges[chunk.count - 1].start;
    std::size_t here = 0;
    while (here < removed.size() && removed[here].start <= last) ++here;
    if (here == 0)
      index.parts[index.count++] = old.parts[i];
    else if (!append_rest(chunk, removed.subspan(0, here), index))
      return false;
    removed = removed.subspan(here);
  }
  return true;
}

}  // namespace

const Range* ObjectIndex::find(std::uintptr_t address) const {
  std::uint32_t low = 0, high = count;
  while (low < high) {
    std::uint32_t middle = low + (high - low) / 2;
    if (parts[middle].start <= address)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0) return nullptr;
  const Chunk& chunk = *parts[low - 1].chunk;
  low = 0;
  high = chunk.count;
  while (low < high) {
    std::uint32_t middle = low + (high - low) / 2;
    if (chunk.ranges[middle].start <= address)
      low = middle + 1;
    else
      high = middle;
  }
  // The chunk's first range starts at or before the address.
  const Range& range = chunk.ranges[low - 1];
  return address < range.end ? &range : nullptr;
}

const ObjectIndex* current_index() { return __atomic_load_n(&g_index, __ATOMIC_ACQUIRE); }

ObjectIndex* index_with(std::span<Module* const> added) {
  const ObjectIndex* old = current_index();
  Ranges ranges;
  if (!ranges.take(added)) return nullptr;
  // Each chunk that is touched becomes as many as its new ranges need, and one more.
  std::size_t parts = old == nullptr ? 0 : old->count, more = ranges.span().size();
  parts += 2 * (1 + more / (kChunkRanges / 2)) + more;
  ObjectIndex* index = allocate_index(parts);
  if (index == nullptr) return nullptr;
  if (copy_with(old, ranges.span(), *index)) return index;
  discard_index(index);
  return nullptr;
}

ObjectIndex* index_without(std::span<Module* const> removed) {
  const ObjectIndex* old = current_index();
  Ranges ranges;
  if (!ranges.take(removed)) return nullptr;
  ObjectIndex* index = allocate_index(old->count);
  if (index == nullptr) return nullptr;
  if (copy_without(*old, ranges.span(), *index)) return index;
  discard_index(index);
  return nullptr;
}

ObjectIndex* publish_index(ObjectIndex* index) {
  for (std::uint32_t i = 0; i < index->count; ++i)
    index->parts[i].chunk->last_index = index->serial;
  return __atomic_exchange_n(&g_index, index, __ATOMIC_ACQ_REL);
}

namespace {

void release(ObjectIndex* index) { heap::release(index, index_bytes(index->capacity)); }
void release(Chunk* chunk) { heap::release(chunk, chunk_bytes(chunk->count)); }

}  // namespace

void discard_index(ObjectIndex* index) {
  if (index == nullptr) return;
  for (std::uint32_t i = 0; i < index->count; ++i)
    if (index->parts[i].chunk->last_index == 0) release(index->parts[i].chunk);
  release(index);
}

void release_index(ObjectIndex* index) {
  if (index == nullptr) return;
  for (std::uint32_t i = 0; i < index->count; ++i)
    if (index->parts[i].chunk->last_index == index->serial) release(index->parts[i].chunk);
  release(index);
}

Module* module_at(std::uintptr_t address) {
  const ObjectIndex* index = current_index();
  const Range* range = index == nullptr ? nullptr : index->find(address);
  return range == nullptr ? nullptr : range->module;
}

// ---- handles
// -------------------------------------------------------------------------------------

namespace {

/// Open addressing, at most half full.
struct Handles {
  struct Entry {
    std::uintptr_t handle;
    Module* module;
  };
  std::uint32_t shift;  ///< 64 - log2 of the entries
  std::uint32_t used;   ///< entries that are not free, gone ones included
  std::uint32_t live;
  Entry entries[];

  std::size_t capacity() const { return std::size_t{1} << (64 - shift); }
  std::size_t place(std::uintptr_t handle) const {
    constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
    return (handle / 16 * kMix) >> shift;
  }
};
constexpr std::uintptr_t kFree = 0, kGone = 1;

constinit Handles* g_handles = nullptr;

std::size_t handles_bytes(const Handles& h) {
  return sizeof(Handles) + h.capacity() * sizeof(Handles::Entry);
}

Handles* allocate_handles(std::size_t live) {
  std::uint32_t bits = 4;
  while ((std::size_t{1} << bits) < live * 4) ++bits;
  auto* h =
      static_cast<Handles*>(heap::allocate(sizeof(Handles) + (sizeof(Handles::Entry) << bits)));
  if (h != nullptr) h->shift = 64 - bits;
  return h;
}

void put(Handles& h, Module& m) {
  auto handle = reinterpret_cast<std::uintptr_t>(m.link_map);
  std::size_t at = h.place(handle);
  while (h.entries[at].handle > kGone) at = (at + 1) & (h.capacity() - 1);
  if (h.entries[at].handle == kFree) ++h.used;
  ++h.live;
  __atomic_store_n(&h.entries[at].module, &m, __ATOMIC_RELEASE);
  __atomic_store_n(&h.entries[at].handle, handle, __ATOMIC_RELEASE);
}

}  // namespace

Module* module_of_handle(const void* handle) {
  auto wanted = reinterpret_cast<std::uintptr_t>(handle);
  const Handles* h = __atomic_load_n(&g_handles, __ATOMIC_ACQUIRE);
  if (h == nullptr || wanted <= kGone) return nullptr;
  for (std::size_t at = h->place(wanted);; at = (at + 1) & (h->capacity() - 1)) {
    std::uintptr_t found = __atomic_load_n(&h->entries[at].handle, __ATOMIC_ACQUIRE);
    if (found == kFree) return nullptr;
    if (found != wanted) continue;
    Module* m = __atomic_load_n(&h->entries[at].module, __ATOMIC_ACQUIRE);
    // The entry may have become another's meanwhile; this one's it cannot become again, since its
    // memory is given back only after the readers.
    return __atomic_load_n(&h->entries[at].handle, __ATOMIC_RELAXED) == wanted ? m : nullptr;
  }
}

bool reserve_handles(std::size_t more, void*& old) {
  old = nullptr;
  Handles* now = g_handles;
  std::size_t used = now == nullptr ? 0 : now->used, live = now == nullptr ? 0 : now->live;
  if (now != nullptr && (used + more) * 2 <= now->capacity()) return true;
  Handles* larger = allocate_handles(live + more);
  if (larger == nullptr) return false;
  for (std::size_t i = 0; now != nullptr && i < now->capacity(); ++i)
    if (now->entries[i].handle > kGone) put(*larger, *now->entries[i].module);
  __atomic_store_n(&g_handles, larger, __ATOMIC_RELEASE);
  old = now;
  return true;
}

void release_handles(void* old) {
  if (old != nullptr) heap::release(old, handles_bytes(*static_cast<Handles*>(old)));
}

void add_handle(Module& m) {
  if (m.link_map != nullptr) put(*g_handles, m);
}

void remove_handle(Module& m) {
  Handles& h = *g_handles;
  auto handle = reinterpret_cast<std::uintptr_t>(m.link_map);
  std::size_t mask = h.capacity() - 1;
  for (std::size_t at = h.place(handle); h.entries[at].handle != kFree; at = (at + 1) & mask) {
    if (h.entries[at].handle != handle) continue;
    // Before a free entry nobody needs the mark to go on past.
    bool last = h.entries[(at + 1) & mask].handle == kFree;
    __atomic_store_n(&h.entries[at].handle, last ? kFree : kGone, __ATOMIC_RELEASE);
    if (last) --h.used;
    --h.live;
    return;
  }
}

}  // namespace myld::dlopen
