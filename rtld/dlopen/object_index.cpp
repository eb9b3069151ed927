#include "rtld/dlopen/object_index.hpp"

#include "loader/heap/heap.hpp"

namespace myld::dlopen {
namespace {

constinit ObjectIndex* g_index = nullptr;

std::size_t index_bytes(std::size_t count) {
  return sizeof(ObjectIndex) + count * (sizeof(ObjectIndex::Range) + sizeof(ObjectIndex::Handle));
}

/// Merge sort would need memory, quicksort a bound: heap sort needs neither.
template <class T, class Less>
void sort(T* a, std::size_t n, Less less) {
  auto sift = [&](std::size_t root, std::size_t end) {
    for (std::size_t child = 2 * root + 1; child < end; child = 2 * root + 1) {
      if (child + 1 < end && less(a[child], a[child + 1])) ++child;
      if (!less(a[root], a[child])) return;
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

ObjectIndex* make_index(const Runtime& runtime) {
  std::size_t count = 0;
  for (const load::Namespace* ns : runtime.namespaces)
    if (ns != nullptr) count += ns->modules.size();
  auto* memory = static_cast<char*>(heap::allocate(index_bytes(count)));
  if (memory == nullptr) return nullptr;
  auto* index = reinterpret_cast<ObjectIndex*>(memory);
  index->ranges = reinterpret_cast<ObjectIndex::Range*>(memory + sizeof(ObjectIndex));
  index->handles = reinterpret_cast<ObjectIndex::Handle*>(index->ranges + count);
  for (const load::Namespace* ns : runtime.namespaces) {
    if (ns == nullptr) continue;
    for (Module* m : ns->modules) {
      if (m->link_map == nullptr) continue;
      const elf::Phdr* eh = m->image.segments.eh_frame;
      std::uintptr_t eh_frame = eh == nullptr ? 0 : (m->image.bias + LinkAddr{eh->p_vaddr}).value;
      index->ranges[index->count] = {m->mapping.start.value,
                                     m->mapping.start.value + m->mapping.bytes, m, eh_frame};
      index->handles[index->count++] = {m->link_map, m};
    }
  }
  sort(index->ranges, index->count, [](const auto& a, const auto& b) { return a.start < b.start; });
  sort(index->handles, index->count, [](const auto& a, const auto& b) {
    return reinterpret_cast<std::uintptr_t>(a.link_map) <
           reinterpret_cast<std::uintptr_t>(b.link_map);
  });
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
