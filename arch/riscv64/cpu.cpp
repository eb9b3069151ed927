// What IFUNC resolvers may ask, and what the trampolines must know of this CPU: nothing, since they
// save the floating-point argument registers in any case.
#include "arch/port.hpp"
#include "arch/vector_state.hpp"

/// tlsdesc.S: there are vector registers to keep.
extern "C" {
[[gnu::visibility("hidden")]] constinit bool myld_has_vectors = false;
}

/// What a resolver calls to ask about extensions: 0, or an error number.
/// Source: Linux, Documentation/riscv/hwprobe.rst; <sys/hwprobe.h>.
int myld_riscv_hwprobe(
    void* pairs, std::size_t count, std::size_t cpu_bytes, unsigned long* cpus, unsigned flags) {
  using namespace myld::arch;
  long result = syscall(kSysRiscvHwprobe, reinterpret_cast<long>(pairs), static_cast<long>(count),
                        static_cast<long>(cpu_bytes), reinterpret_cast<long>(cpus), flags);
  return static_cast<int>(-result);
}

namespace myld::arch {

std::uintptr_t call_keeping_vectors(std::uintptr_t (*call)(void*), void* argument) {
  return call(argument);
}

void set_hwcap(std::uint64_t hwcap) {
  constexpr std::uint64_t kV = std::uint64_t{1} << ('V' - 'A');  // COMPAT_HWCAP_ISA_V
  myld_has_vectors = (hwcap & kV) != 0;
}

void prepare_audited_calls() {}

}  // namespace myld::arch
