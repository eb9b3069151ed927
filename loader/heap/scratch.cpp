#include "loader/heap/scratch.hpp"

#include "loader/base/addr.hpp"
#include "loader/sys/calls.hpp"

namespace myld::heap {
namespace {

constexpr std::size_t kPage = 4096, kHugePage = std::size_t{2} << 20;
// Where the system zeroes two megabytes faster than it serves so many faults.
constexpr std::size_t kHugeFrom = std::size_t{160} << 10;

std::size_t mapped_bytes_of(std::size_t bytes) {
  return round_up(bytes, bytes >= kHugeFrom ? kHugePage : kPage);
}

}  // namespace

void* allocate_scratch(std::size_t bytes) {
  if (bytes == 0 || bytes > (std::size_t{1} << 47)) return nullptr;
  std::size_t size = mapped_bytes_of(bytes);
  if (bytes < kHugeFrom) {
    long at = sys::map(nullptr, size, sys::kProtRead | sys::kProtWrite,
                       sys::kMapPrivate | sys::kMapAnonymous | sys::kMapPopulate, -1, 0);
    return at < 0 ? nullptr : reinterpret_cast<void*>(at);
  }
  long at = sys::map_anonymous(size + kHugePage);
  if (at < 0) return nullptr;
  auto start = static_cast<std::uintptr_t>(at);
  std::uintptr_t aligned = round_up(start, kHugePage);
  if (aligned != start) sys::unmap(reinterpret_cast<void*>(start), aligned - start);
  sys::unmap(reinterpret_cast<void*>(aligned + size), start + kHugePage - aligned);
  sys::advise(reinterpret_cast<void*>(aligned), size,
              sys::kMadvHugePage);  // a wish: may be refused
  return reinterpret_cast<void*>(aligned);
}

void release_scratch(void* memory, std::size_t bytes) {
  if (memory != nullptr) sys::unmap(memory, mapped_bytes_of(bytes));
}

}  // namespace myld::heap
