// How the start finds out which C library the program has.
#pragma once
#include "rtld/runtime.hpp"

namespace myld::glibc {

/// What can be known before a libc is found: tunables, the CPU's hwcaps directories.
void read_early(Runtime& runtime);

/// The adapter for the libc among `modules`, or the bare one if there is none. Errors:
/// unknown_libc.
Result<const abi::RuntimeAbi*> choose(Runtime& runtime, std::span<load::Module* const> modules);

}  // namespace myld::glibc
