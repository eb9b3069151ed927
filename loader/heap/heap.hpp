// The loader's own memory: never the program's malloc, so that binding, TLS and dlopen work inside
// a signal handler's or an allocator's view of the world.
//
// Blocks are freed with their size, so they carry no header. Small blocks come from size classes
// (16-byte steps to 128, then four steps for each power of two up to 8 KiB), carved out of chunks;
// larger ones are mappings of their own. What is freed is reused: a hundred thousand rounds of
// dlopen and dlclose do not grow the heap.
#pragma once
#include <cstddef>

namespace myld::heap {

/// Bytes of the largest blocks that come from chunks.
inline constexpr std::size_t kLargestInChunk = 8192;

/// Returns `bytes` of zeroed memory aligned to 16 (to a page if larger than 8 KiB), or nullptr when
/// the system has no more. Takes the heap's lock for a few instructions; no foreign code runs under
/// it.
void* allocate(std::size_t bytes);

/// The same without the zeros, for who fills the block anyway.
void* allocate_unfilled(std::size_t bytes);

/// Memory of any size out of the newest chunk, aligned to 16 and unfilled, that is never given
/// back. nullptr: the chunk has no such room left.
void* carve(std::size_t bytes);

/// Makes what allocate(bytes) returned last larger, in its place. False: it is not the newest
/// block, there is no room, or there is a free block that is as large; nothing has changed then.
bool extend(void* block, std::size_t bytes, std::size_t new_bytes);

/// Gives back what allocate(bytes) returned.
void release_block(void* block, std::size_t bytes);
/// nullptr is allowed.
inline void release(void* block, std::size_t bytes) {
  if (block != nullptr) release_block(block, bytes);
}

/// Bracket a fork(2) in a threaded program: the child must find the heap whole.
void lock();
void unlock();
void reset_lock_in_child();

/// Bytes mapped for the heap now, for the tools.
std::size_t mapped_bytes();

}  // namespace myld::heap
