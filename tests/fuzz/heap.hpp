// What a fuzz target may ask of its heap (heap.cpp).
#pragma once
#include <cstdint>

namespace myld::fuzz {

/// From here on so many allocations succeed, and no more.
void fail_after(std::uint64_t allocations);

/// Frees every block, at the end of a run; allocations succeed again.
void release_everything();

}  // namespace myld::fuzz
