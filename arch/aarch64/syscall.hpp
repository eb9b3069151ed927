// System calls, the thread pointer and IFUNC calls on AArch64.
// Source: Linux, arch/arm64/kernel/entry.S (x8: number, x0-x5: arguments, x0: result); System V ABI
// for the Arm 64-bit Architecture, "Thread Local Storage" (TPIDR_EL0).
#pragma once
#include "arch/linux_generic.hpp"

#include <cstddef>
#include <cstdint>

namespace myld::arch {

/// The kernel's struct sigaction. Source: sigaction(2), "C library/kernel differences".
struct SignalAction {
  std::uintptr_t handler = 0;
  std::uint64_t flags = 0;
  std::uintptr_t restorer = 0;
  std::uint64_t mask = 0;
};
/// Bytes from the ucontext_t that a handler is given to the program counter: uc_flags, uc_link,
/// uc_stack (24), sigmask (128), then at 176 fault_address, regs[31], sp, pc.
inline constexpr std::size_t kPcInSignalContext = 440;
/// Adds what this ISA needs for the handler's return: nothing, the vDSO has the way back.
inline void complete(SignalAction&) {}

inline constexpr long kOpenNoFollow = 0100000;  // O_NOFOLLOW

/// Returns the kernel's result: -errno on failure.
[[gnu::always_inline]] inline long
syscall(long n, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  register long x8 asm("x8") = n;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc #0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
}

[[gnu::always_inline]] inline std::uintptr_t thread_pointer() {
  std::uintptr_t tp;
  asm("mrs %0, tpidr_el0" : "=r"(tp));
  return tp;
}

/// Returns 0: the register is the program's own to write.
inline long set_thread_pointer(std::uintptr_t tp) {
  asm volatile("msr tpidr_el0, %0" : : "r"(tp) : "memory");
  return 0;
}

/// There is none: Port::kGlobalPointer.
inline void set_global_pointer(std::uintptr_t) {}

/// DTV pointer's place: bytes from the thread pointer.
inline constexpr std::ptrdiff_t kDtvFromThreadPointer = 0;

/// The auxiliary vector's words that IFUNC resolvers are given.
struct IfuncArguments {
  std::uint64_t hwcap, hwcap2, hwcap3, hwcap4;
};

/// A resolver takes AT_HWCAP, with bit 62 set to say that a second argument follows, and the
/// address of a structure that begins with its own size, so that it can grow. Source: System V ABI
/// for the Arm 64-bit Architecture, "GNU indirect functions"; <sys/ifunc.h>: __ifunc_arg_t.
inline std::uintptr_t call_ifunc(std::uintptr_t resolver, const IfuncArguments& hwcaps) {
  struct Argument {
    std::uint64_t size;
    IfuncArguments words;
  };
  constexpr std::uint64_t kHasArgument = std::uint64_t{1} << 62;
  const Argument argument = {sizeof(Argument), hwcaps};
  using Resolver = std::uintptr_t (*)(std::uint64_t, const Argument*);
  return reinterpret_cast<Resolver>(resolver)(hwcaps.hwcap | kHasArgument, &argument);
}

}  // namespace myld::arch
