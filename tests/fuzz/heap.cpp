// The loader's heap for the fuzz targets, in the place of loader/heap/heap.cpp: every block is one
// of malloc's, so that the sanitizer sees its bounds; a block must be released with the size that
// it was asked for; and what a run keeps for the life of a process goes when the run ends.
#include "tests/fuzz/heap.hpp"

#include "loader/heap/heap.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <unordered_map>

namespace myld {
namespace {

std::unordered_map<void*, std::size_t> g_blocks;
std::uint64_t g_left = UINT64_MAX;

}  // namespace

namespace fuzz {

void fail_after(std::uint64_t allocations) { g_left = allocations; }

void release_everything() {
  for (auto& [block, bytes] : g_blocks) std::free(block);
  g_blocks.clear();
  g_left = UINT64_MAX;
}

}  // namespace fuzz

namespace heap {

void* allocate(std::size_t bytes) {
  constexpr std::size_t kMost = std::size_t{256} << 20;
  if (bytes > kMost || g_left == 0) return nullptr;
  --g_left;
  void* block = std::calloc(1, bytes == 0 ? 1 : bytes);
  if (block != nullptr) g_blocks[block] = bytes;
  return block;
}

bool extend(void*, std::size_t, std::size_t) { return false; }

void* allocate_unfilled(std::size_t bytes) {
  void* block = allocate(bytes);
  if (block != nullptr) std::memset(block, 0xa5, bytes);
  return block;
}

void release_block(void* block, std::size_t bytes) {
  auto at = g_blocks.find(block);
  if (at == g_blocks.end() || at->second != bytes) std::abort();
  g_blocks.erase(at);
  std::free(block);
}

void lock() {}
void unlock() {}
void reset_lock_in_child() {}
std::size_t mapped_bytes() { return 0; }

}  // namespace heap
}  // namespace myld
