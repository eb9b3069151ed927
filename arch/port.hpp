// The contract of a port, and the only place in the tree that asks which ISA this is.
//
// A port is a folder with the same six file names in each:
//   traits.hpp        constants and the relocation table; constexpr, includable on any host
//   syscall.hpp       system call, thread pointer, IFUNC call; only for its own ISA
//   start.S           the process's first instruction and the jump to the program
//   plt_trampoline.S  what a lazily bound PLT slot jumps to first
//   tlsdesc.S         TLS descriptor resolvers
//   cpu.cpp           what the trampolines must know of the CPU before they run
#pragma once
#include "arch/kinds.hpp"

#include <concepts>
#include <cstdint>

#if defined(__x86_64__)
#include "arch/x86_64/syscall.hpp"
#include "arch/x86_64/traits.hpp"
namespace myld::arch {
using Port = X86_64;
}
#elif defined(__aarch64__)
#include "arch/aarch64/syscall.hpp"
#include "arch/aarch64/traits.hpp"
namespace myld::arch {
using Port = Aarch64;
}
#elif defined(__riscv) && __riscv_xlen == 64
#include "arch/riscv64/syscall.hpp"
#include "arch/riscv64/traits.hpp"
namespace myld::arch {
using Port = Riscv64;
}
#else
#error "no port for this ISA: see arch/PORTING.md"
#endif

namespace myld::arch {

template <class P>
concept IsPort = requires(std::uint32_t r_type, std::uint8_t st_other) {
  { P::kMachine } -> std::convertible_to<std::uint16_t>;
  { P::kName } -> std::convertible_to<const char*>;
  { P::kTlsVariant } -> std::convertible_to<TlsVariant>;
  { P::kTcbReserve } -> std::convertible_to<std::size_t>;
  { P::kTcbBelow } -> std::convertible_to<std::size_t>;
  { P::kDtvOffset } -> std::convertible_to<std::uint64_t>;
  { P::kGotAddend } -> std::convertible_to<bool>;
  { P::kGotPlt } -> std::convertible_to<GotPltLayout>;
  { P::kLoaderSoname } -> std::convertible_to<const char*>;
  { P::kInterpreter } -> std::convertible_to<const char*>;
  { P::kAuditEnter } -> std::convertible_to<const char*>;
  { P::kAuditExit } -> std::convertible_to<const char*>;
  { P::kLibDir } -> std::convertible_to<const char*>;
  { P::kInitFini } -> std::convertible_to<bool>;
  { P::kGlobalPointer } -> std::convertible_to<const char*>;
  { P::kBranchTargets } -> std::convertible_to<BranchTargets>;
  { P::kFpuControl } -> std::convertible_to<std::uint32_t>;
  { P::kRseqSignature } -> std::convertible_to<std::uint32_t>;
  { P::kVdsoClockGettime } -> std::convertible_to<const char*>;
  { P::kVdsoClockGetres } -> std::convertible_to<const char*>;
  { P::kVdsoGettimeofday } -> std::convertible_to<const char*>;
  { P::kVdsoGetrandom } -> std::convertible_to<const char*>;
  { P::reloc_kind(r_type) } -> std::same_as<RelocKind>;
  { P::reloc_name(r_type) } -> std::same_as<const char*>;
  { P::return_address(nullptr) } -> std::same_as<std::uintptr_t>;
  { P::must_bind_now(st_other) } -> std::same_as<bool>;
};
static_assert(IsPort<Port>);

}  // namespace myld::arch
