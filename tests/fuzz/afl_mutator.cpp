// The structured mutator as AFL++ calls it (AFL_CUSTOM_MUTATOR_LIBRARY). Source: AFL++'s
// docs/custom_mutators.md.
#include "tests/fuzz/elf_mutator.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

namespace {

struct State {
  unsigned seed;
  std::vector<std::uint8_t> buffer;
};

}  // namespace

extern "C" {

void* afl_custom_init(void*, unsigned seed) { return new State{seed, {}}; }
void afl_custom_deinit(void* state) { delete static_cast<State*>(state); }

std::size_t afl_custom_fuzz(void* data,
                            std::uint8_t* input,
                            std::size_t size,
                            std::uint8_t** out,
                            std::uint8_t*,
                            std::size_t,
                            std::size_t max_size) {
  auto& state = *static_cast<State*>(data);
  state.buffer.resize(std::max(max_size, size));
  std::memcpy(state.buffer.data(), input, size);
  *out = state.buffer.data();
  return myld::fuzz::mutate_elf(state.buffer.data(), size, state.buffer.size(), ++state.seed,
                                nullptr);
}
}
