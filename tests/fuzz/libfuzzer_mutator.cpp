// The structured mutator as libFuzzer calls it.
#include "tests/fuzz/elf_mutator.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" std::size_t
LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed) {
  return myld::fuzz::mutate_elf(data, size, max_size, seed, LLVMFuzzerMutate);
}
