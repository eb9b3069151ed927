// Random gaps between modules. The kernel puts each mapping next to the last one, so that the place
// of one library tells the places of all. A place that is suggested to mmap(2) costs no system call
// more, and where something is already the kernel finds another as before.
#pragma once
#include "loader/base/addr.hpp"

namespace myld::map {

/// From now on modules are put below `top`, and below each other, with gaps. Needs: called once, at
/// the start. `key`: 128 random bits; what the gaps tell says nothing of them.
void spread(RunAddr top, const std::uint64_t (&key)[2]);

/// Modules that come later lie where the kernel likes, and one that is opened again where it was:
/// AddressSanitizer reads the descriptions of globals of libraries that are closed.
void stop_spreading();

/// Where a module of `bytes` may start, nullptr for wherever the kernel likes. Only the first of a
/// process are spread: ten thousand with a page table each would cost time and memory.
void* suggest_place(std::uint64_t bytes);
/// Says where it came to lie.
void note_place(std::uintptr_t start);

/// SipHash-2-4 of one word. Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF".
std::uint64_t siphash(const std::uint64_t (&key)[2], std::uint64_t word);

}  // namespace myld::map
