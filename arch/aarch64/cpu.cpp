// What the trampolines must know of this CPU: nothing. q0-q7 are the same size on every AArch64,
// and functions that take wider registers are bound at load.
#include "arch/port.hpp"
#include "arch/vector_state.hpp"

extern "C" [[gnu::visibility("hidden")]] std::uintptr_t
myld_call_keeping_vectors(std::uintptr_t (*call)(void*), void* argument);

namespace myld::arch {

std::uintptr_t call_keeping_vectors(std::uintptr_t (*call)(void*), void* argument) {
  return myld_call_keeping_vectors(call, argument);
}

void set_hwcap(std::uint64_t) {}

void prepare_audited_calls() {}

}  // namespace myld::arch
