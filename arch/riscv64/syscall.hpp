// System calls, the thread pointer and IFUNC calls on RISC-V.
// Source: Linux, arch/riscv/kernel/entry.S (a7: number, a0-a5: arguments, a0: result); RISC-V ELF
// psABI, "Thread Local Storage" (tp).
#pragma once
#include "arch/linux_generic.hpp"

#include <cstddef>
#include <cstdint>

extern "C" [[gnu::visibility("hidden")]] int myld_riscv_hwprobe(
    void* pairs, std::size_t count, std::size_t cpu_bytes, unsigned long* cpus, unsigned flags);

namespace myld::arch {

/// The kernel's struct sigaction. Source: sigaction(2), "C library/kernel differences".
struct SignalAction {
  std::uintptr_t handler = 0;
  std::uint64_t flags = 0;
  std::uint64_t mask = 0;
  /// Not Linux's: qemu-user (7.2) reads and writes a word more, as on ISAs with sa_restorer.
  std::uint64_t spare = 0;
};
/// Bytes from the ucontext_t that a handler is given to the program counter: uc_flags, uc_link,
/// uc_stack (24), sigmask (128), then at 176 the program counter.
inline constexpr std::size_t kPcInSignalContext = 176;
/// Adds what this ISA needs for the handler's return: nothing, the vDSO has the way back.
inline void complete(SignalAction&) {}

inline constexpr long kOpenNoFollow = 0400000;  // O_NOFOLLOW

inline constexpr long kSysRiscvHwprobe = 258;

/// Returns the kernel's result: -errno on failure.
[[gnu::always_inline]] inline long
syscall(long n, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  register long a7 asm("a7") = n;
  register long a0 asm("a0") = a;
  register long a1 asm("a1") = b;
  register long a2 asm("a2") = c;
  register long a3 asm("a3") = d;
  register long a4 asm("a4") = e;
  register long a5 asm("a5") = f;
  asm volatile("ecall"
               : "+r"(a0)
               : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5)
               : "memory");
  return a0;
}

[[gnu::always_inline]] inline std::uintptr_t thread_pointer() {
  std::uintptr_t tp;
  asm("mv %0, tp" : "=r"(tp));
  return tp;
}

/// Returns 0: the register is the program's own to write.
inline long set_thread_pointer(std::uintptr_t tp) {
  asm volatile("mv tp, %0" : : "r"(tp) : "memory");
  return 0;
}

/// Puts the program's global pointer (Port::kGlobalPointer) into its register, which code of shared
/// objects, the loader's too, leaves alone.
[[gnu::always_inline]] inline void set_global_pointer(std::uintptr_t at) {
  asm volatile("mv gp, %0" : : "r"(at));
}

/// DTV pointer's place: bytes from the thread pointer. The TCB of two words ends at tp.
inline constexpr std::ptrdiff_t kDtvFromThreadPointer = -16;

/// The auxiliary vector's words that IFUNC resolvers are given.
struct IfuncArguments {
  std::uint64_t hwcap, hwcap2, hwcap3, hwcap4;
};

/// A resolver takes AT_HWCAP, a function to ask about extensions, and a null that is kept for
/// later. Source: <sys/hwprobe.h>: __riscv_hwprobe_t; RISC-V C API, "Function multi-version".
inline std::uintptr_t call_ifunc(std::uintptr_t resolver, const IfuncArguments& hwcaps) {
  using Resolver = std::uintptr_t (*)(std::uint64_t, decltype(&myld_riscv_hwprobe), void*);
  return reinterpret_cast<Resolver>(resolver)(hwcaps.hwcap, &myld_riscv_hwprobe, nullptr);
}

}  // namespace myld::arch
