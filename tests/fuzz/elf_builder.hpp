// Small valid shared objects, made anew for each seed: what the mutator starts from.
#pragma once
#include <cstdint>
#include <random>
#include <vector>

namespace myld::fuzz {

using Random = std::minstd_rand;

/// A number below `n`, which is not 0.
inline std::uint32_t below(Random& r, std::uint32_t n) {
  return static_cast<std::uint32_t>(r() % n);
}

/// A file of one or two kilobytes: symbols, both hash tables or one, versions, relocations of one
/// of four machines, notes, thread-local storage, constructors. check_header(), check_segments(),
/// read_image() and read_versions() take it.
std::vector<std::uint8_t> build_elf(Random& random);

}  // namespace myld::fuzz
