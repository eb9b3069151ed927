// How the start finds out which C library the program has.
#pragma once
#include "loader/sys/text.hpp"
#include "rtld/glibc/cpu_features.hpp"
#include "rtld/runtime.hpp"

namespace myld::glibc {

/// Reads the environment's tunables by the newest table, before a libc is known. True: they ask for
/// secure mode.
bool read_tunables(Runtime& runtime);

/// Looks at the libc that a program would get, so that what is told is that release's. False: there
/// is none, or none that is known; then it is the newest one's.
bool find_system_libc(Runtime& runtime);

/// Writes every tunable with its value and bounds to standard output. Needs: read_tunables().
void print_tunables(Runtime& runtime);

/// Writes what the processor can do, where the ISA's glibc has lines for it. Needs:
/// read_tunables().
CpuResult print_cpu(Runtime& runtime, sys::Text* out);

/// What else can be known before a libc is found, or asked for later: the CPU's glibc-hwcaps
/// directories, $PLATFORM. Needs: read_tunables(), which may take features away.
void read_early(Runtime& runtime);

/// The glibc-hwcaps subdirectories of this ISA, and those that this CPU can use: most specific
/// first; the latter are the end of the former.
std::span<const char* const> known_hwcaps();
std::span<const char* const> usable_hwcaps(Runtime& runtime);

/// The adapter for the libc among `modules`, or the bare one if there is none. The libc becomes its
/// namespace's. Asked again (an auditor's libc comes before the program's) it has to find the same
/// kind. Errors: unknown_libc, mixed_libc.
Result<const abi::RuntimeAbi*> choose(Runtime& runtime, std::span<load::Module* const> modules);

}  // namespace myld::glibc
