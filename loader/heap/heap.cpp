#include "loader/heap/heap.hpp"

#include "loader/base/addr.hpp"
#include "loader/base/first_chunk.hpp"
#include "loader/base/mem.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/futex_lock.hpp"

alignas(64) constinit unsigned char myld_first_chunk[myld::kFirstChunkBytes] = {};

namespace myld::heap {
namespace {

constexpr std::size_t kPage = 4096;  // of any system the least
constexpr std::size_t kClasses = 8 + 6 * 4;
constexpr std::size_t kSmallestChunk = 128 * 1024, kLargestChunk = 32 * 1024 * 1024;

struct FreeBlock {
  FreeBlock* next;
};

struct Heap {
  sys::FutexLock lock;
  FreeBlock* free[kClasses] = {};
  unsigned char* next = myld_first_chunk;
  unsigned char* end = myld_first_chunk + kFirstChunkBytes;
  std::size_t mapped = 0;
  std::size_t in_chunks = 0;
};
constinit Heap g_heap;

/// Index of the smallest class that holds `bytes`, and its size.
struct SizeClass {
  std::size_t index, bytes;
};

[[gnu::always_inline]] inline SizeClass size_class(std::size_t bytes) {
  if (bytes <= 128) {
    std::size_t index = bytes == 0 ? 0 : (bytes - 1) / 16;
    return {index, (index + 1) * 16};
  }
  unsigned top = 63u - static_cast<unsigned>(__builtin_clzl(bytes - 1));  // 2^top <= bytes-1
  std::size_t step = std::size_t{1} << (top - 2);
  std::size_t quarter = (bytes - 1 - (std::size_t{1} << top)) / step;
  return {8 + (top - 7) * 4 + quarter, (std::size_t{1} << top) + (quarter + 1) * step};
}

/// The rest of the old chunk is cut into blocks of its own, so nothing is lost.
void retire_chunk(Heap& heap) {
  while (static_cast<std::size_t>(heap.end - heap.next) >= 16) {
    std::size_t left = static_cast<std::size_t>(heap.end - heap.next);
    std::size_t bytes = left >= 128 ? 128 : left & ~std::size_t{15};
    auto* block = reinterpret_cast<FreeBlock*>(heap.next);
    std::size_t index = size_class(bytes).index;
    block->next = heap.free[index];
    heap.free[index] = block;
    heap.next += bytes;
  }
}

void* map(std::size_t bytes) {
  long got = sys::map_anonymous(bytes);
  return got < 0 ? nullptr : reinterpret_cast<void*>(got);
}

/// Chunks grow with the heap, so that ten thousand modules need four of them: each is a mapping, of
/// which a process has a limited number. Untouched pages cost nothing, and under a limit of address
/// space a smaller one will do.
bool new_chunk(Heap& heap) {
  std::size_t bytes = kSmallestChunk;
  while (bytes < heap.in_chunks * 7 && bytes < kLargestChunk) bytes *= 2;
  void* chunk = map(bytes);
  if (chunk == nullptr) chunk = map(bytes = kSmallestChunk);
  if (chunk == nullptr) return false;
  retire_chunk(heap);
  heap.next = static_cast<unsigned char*>(chunk);
  heap.end = heap.next + bytes;
  heap.in_chunks += bytes;
  heap.mapped += bytes;
  return true;
}

}  // namespace

namespace {

template <bool kZero>
[[gnu::always_inline]] inline void* take(std::size_t bytes) {
  Heap& heap = g_heap;
  if (bytes > kLargestInChunk) {
    if (bytes > (std::size_t{1} << 47)) return nullptr;
    std::size_t pages = round_up(bytes, 4096);
    void* block = map(pages);
    if (block != nullptr) __atomic_add_fetch(&heap.mapped, pages, __ATOMIC_RELAXED);
    return block;
  }
  SizeClass size = size_class(bytes);
  heap.lock.lock();
  if (FreeBlock* block = heap.free[size.index]) {
    heap.free[size.index] = block->next;
    heap.lock.unlock();
    if constexpr (kZero) memset(block, 0, size.bytes);
    return block;
  }
  void* block = nullptr;
  if (static_cast<std::size_t>(heap.end - heap.next) >= size.bytes || new_chunk(heap)) {
    block = heap.next;  // fresh from the system, zero
    heap.next += size.bytes;
    // Who reads a new page first pays for a second page fault with the first write.
    auto page = round_down(reinterpret_cast<std::uintptr_t>(heap.next - 1), kPage);
    if (page > reinterpret_cast<std::uintptr_t>(block))
      __atomic_store_n(reinterpret_cast<unsigned char*>(page), 0, __ATOMIC_RELAXED);
  }
  heap.lock.unlock();
  return block;
}

}  // namespace

void* allocate(std::size_t bytes) { return take<true>(bytes); }
void* allocate_unfilled(std::size_t bytes) { return take<false>(bytes); }

void* carve(std::size_t bytes) {
  Heap& heap = g_heap;
  bytes = round_up(bytes, std::size_t{16});
  void* block = nullptr;
  heap.lock.lock();
  if (static_cast<std::size_t>(heap.end - heap.next) >= bytes) {
    block = heap.next;
    heap.next += bytes;
  }
  heap.lock.unlock();
  return block;
}

bool extend(void* block, std::size_t bytes, std::size_t new_bytes) {
  if (new_bytes > kLargestInChunk) return false;
  Heap& heap = g_heap;
  auto* end = static_cast<unsigned char*>(block) + size_class(bytes).bytes;
  SizeClass wanted = size_class(new_bytes);
  std::size_t more = wanted.bytes - size_class(bytes).bytes;
  heap.lock.lock();
  // A free block of the larger size is what an earlier round of the same thing left: to make
  // another one in each round would use up the heap.
  bool fits = heap.free[wanted.index] == nullptr && end == heap.next &&
              static_cast<std::size_t>(heap.end - heap.next) >= more;
  if (fits) heap.next += more;
  heap.lock.unlock();
  return fits;
}

void release_block(void* block, std::size_t bytes) {
  Heap& heap = g_heap;
  if (bytes > kLargestInChunk) {
    std::size_t pages = round_up(bytes, 4096);
    sys::unmap(block, pages);
    __atomic_sub_fetch(&heap.mapped, pages, __ATOMIC_RELAXED);
    return;
  }
  std::size_t index = size_class(bytes).index;
  auto* free = static_cast<FreeBlock*>(block);
  heap.lock.lock();
  free->next = heap.free[index];
  heap.free[index] = free;
  heap.lock.unlock();
}

void lock() { g_heap.lock.lock(); }
void unlock() { g_heap.lock.unlock(); }
void reset_lock_in_child() { g_heap.lock.reset(); }
std::size_t mapped_bytes() { return __atomic_load_n(&g_heap.mapped, __ATOMIC_RELAXED); }

}  // namespace myld::heap
