// Calls from the middle of a lazy binding into code that may use vector registers.
#pragma once
#include <cstdint>

namespace myld::arch {

/// Calls `call(argument)` and gives every vector argument register back as it was before.
/// For foreign code only (IFUNC resolvers, audit hooks): the loader's own binding path is compiled
/// for general registers and needs none of this.
std::uintptr_t call_keeping_vectors(std::uintptr_t (*call)(void*), void* argument);

/// Tells what AT_HWCAP says, before any thread-local variable is reached by a descriptor. riscv64:
/// whether there are vector registers; other ISAs need to know nothing.
void set_hwcap(std::uint64_t hwcap);

/// What has to be known of the CPU before a PLT slot leads to the audited trampoline.
void prepare_audited_calls();

}  // namespace myld::arch
