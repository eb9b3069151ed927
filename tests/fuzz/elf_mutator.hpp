// The structured mutator (elf_mutator.cpp), for whichever fuzzer asks.
#pragma once
#include <cstddef>
#include <cstdint>

namespace myld::fuzz {

/// Changes `data` in place, or writes a new file there; returns its size. `plain`: the fuzzer's own
/// mutation, used now and then; nullptr: it has none.
std::size_t mutate_elf(std::uint8_t* data,
                       std::size_t size,
                       std::size_t max_size,
                       unsigned seed,
                       std::size_t (*plain)(std::uint8_t*, std::size_t, std::size_t));

}  // namespace myld::fuzz
