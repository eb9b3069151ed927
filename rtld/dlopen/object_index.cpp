#include "rtld/dlopen/object_index.hpp"

#include "loader/heap/heap.hpp"

namespace myld::dlopen {
namespace {

constinit ObjectIndex* g_index = nullptr;

std::size_t index_bytes(std::size_t count) {
  return sizeof(ObjectIndex) + count * (sizeof(ObjectIndex::Range) + sizeof(ObjectIndex::Handle));
}

ObjectIndex* allocate_index(std::size_t count) {
  auto* memory = static_cast<char*>(heap::allocate(index_bytes(count)));
  if (memory == nullptr) return nullptr;
  auto* index = reinterpret_cast<ObjectIndex*>(memory);
  index->ranges = reinterpret_cast<ObjectIndex::Range*>(memory + sizeof(ObjectIndex));
  index->handles = reinterpret_cast<ObjectIndex::Handle*>(index->ranges + count);
  return index;
}

bool before(const ObjectIndex::Range& a, const ObjectIndex::Range& b) { return a.start < b.start; }
bool before(const ObjectIndex::Handle& a, const ObjectIndex::Handle& b) {
  return reinterpret_cast<std::uintptr_t>(a.link_map) <
         reinterpret_cast<std::uintptr_t>(b.link_map);
}

/// Merges the sorted `from` with the sorted tail that `to` holds from position `from_count` on. The
/// tail is never overtaken: as many of `from` are still to come as lie between the two.
template <class T>
void merge(const T* from, std::size_t from_count, T* to, std::size_t count) {
  std::size_t out = 0, next = 0, tail = from_count;
  while (next < from_count) {
    if (tail < count && before(to[tail], from[next]))
      to[out++] = to[tail++];
    else
      to[out++] = from[next++];
  }
}

/// Merge sort would need memory, quicksort a bound: heap sort needs neither.
template <class T>
void sort(T* a, std::size_t n) {
  auto sift = [&](std::size_t root, std::size_t end) {
    for (std::size_t child = 2 * root + 1; child < end; child = 2 * root + 1) {
      if (child + 1 < end && before(a[child], a[child + 1])) ++child;
      if (!before(a[root], a[child])) return;
      T t = a[root];
      a[root] = a[child];
      a[child] = t;
      root = child;
    }
  };
  for (std::size_t i = n / 2; i-- > 0;) sift(i, n);
  for (std::size_t end = n; end-- > 1;) {
    T t = a[0];
    a[0] = a[end];
    a[end] = t;
    sift(0, end);
  }
}

}  // namespace

const ObjectIndex::Range* ObjectIndex::find(std::uintptr_t address) const {
  std::uint32_t low = 0, high = count;
  while (low < high) {
    std::uint32_t middle = low + (high - low) / 2;
    if (ranges[middle].start <= address)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0 || address >= ranges[low - 1].end) return nullptr;
  return &ranges[low - 1];
}

Module* ObjectIndex::by_handle(const void* handle) const {
  auto at = reinterpret_cast<std::uintptr_t>(handle);
  std::uint32_t low = 0, high = count;
  while (low < high) {
    std::uint32_t middle = low + (high - low) / 2;
    auto here = reinterpret_cast<std::uintptr_t>(handles[middle].link_map);
    if (here == at) return handles[middle].module;
    if (here < at)
      low = middle + 1;
    else
      high = middle;
  }
  return nullptr;
}

const ObjectIndex* current_index() { return __atomic_load_n(&g_index, __ATOMIC_ACQUIRE); }

ObjectIndex* index_with(std::span<Module* const> added) {
  const ObjectIndex* old = current_index();
  std::size_t old_count = old == nullptr ? 0 : old->count;
  ObjectIndex* index = allocate_index(old_count + added.size());
  if (index == nullptr) return nullptr;
  std::size_t count = old_count;
  for (Module* m : added) {
    if (m->link_map == nullptr) continue;
    const elf::Phdr* eh = m->image.segments.eh_frame;
    std::uintptr_t eh_frame = eh == nullptr ? 0 : (m->image.bias + LinkAddr{eh->p_vaddr}).value;
    index->ranges[count] = {m->mapping.start.value, m->mapping.start.value + m->mapping.bytes, m,
                            eh_frame};
    index->handles[count++] = {m->link_map, m};
  }
  index->count = static_cast<std::uint32_t>(count);
  sort(index->ranges + old_count, count - old_count);
  sort(index->handles + old_count, count - old_count);
  if (old != nullptr) {
    merge(old->ranges, old_count, index->ranges, count);
    merge(old->handles, old_count, index->handles, count);
  }
  return index;
}

ObjectIndex* index_without(std::span<Module* const> removed) {
  const ObjectIndex* old = current_index();
  std::uint32_t mark = load::next_mark();
  for (Module* m : removed) m->mark = mark;
  std::uint32_t count = 0;
  for (std::uint32_t i = 0; i < old->count; ++i) count += old->ranges[i].module->mark != mark;
  ObjectIndex* index = allocate_index(count);
  if (index == nullptr) return nullptr;
  index->count = count;
  ObjectIndex::Range* range = index->ranges;
  ObjectIndex::Handle* handle = index->handles;
  for (std::uint32_t i = 0; i < old->count; ++i) {
    if (old->ranges[i].module->mark != mark) *range++ = old->ranges[i];
    if (old->handles[i].module->mark != mark) *handle++ = old->handles[i];
  }
  return index;
}

ObjectIndex* publish_index(ObjectIndex* index) {
  return __atomic_exchange_n(&g_index, index, __ATOMIC_ACQ_REL);
}

void release_index(ObjectIndex* index) {
  // count may be smaller than what was allocated for: modules without a link_map were left out
  if (index == nullptr) return;
  auto* end = reinterpret_cast<char*>(index->handles);
  auto ranges = static_cast<std::size_t>(end - reinterpret_cast<char*>(index->ranges)) /
                sizeof(ObjectIndex::Range);
  heap::release(index, index_bytes(ranges));
}

Module* module_at(std::uintptr_t address) {
  const ObjectIndex* index = current_index();
  const ObjectIndex::Range* range = index == nullptr ? nullptr : index->find(address);
  return range == nullptr ? nullptr : range->module;
}

}  // namespace myld::dlopen
