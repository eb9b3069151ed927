// RISC-V, rv64gc with the lp64d ABI: variant I TLS, RELA relocations, a PLT that passes (module,
// offset in .got.plt) in t0 and t1. Source: RISC-V ELF psABI 1.0, "Relocations" and "Procedure
// Linkage Table".
#pragma once
#include "arch/kinds.hpp"

#include <cstddef>
#include <cstdint>

namespace myld::arch {

struct Riscv64 {
  static constexpr std::uint16_t kMachine = 243;  // EM_RISCV
  static constexpr const char* kName = "riscv64";
  static constexpr TlsVariant kTlsVariant = TlsVariant::i;
  /// tp holds "the address one past the end of the TCB": two words end there, and the first block
  /// begins.
  static constexpr std::size_t kTcbReserve = 0;
  static constexpr std::size_t kTcbBelow = 16;
  /// TLS_DTV_OFFSET: what DTPREL subtracts and __tls_get_addr adds.
  static constexpr std::uint64_t kDtvOffset = 0x800;
  static constexpr bool kGotAddend = false;
  /// Initialisers are in the arrays alone: a DT_INIT is nobody's, as under glibc (its
  /// elf-initfini.h). DT_FINI: abi::RuntimeAbi.
  static constexpr bool kInitFini = false;
  /// A relaxed program's code may use gp from its first instruction and in its IFUNC resolvers: it
  /// is set to the program's symbol. Source: RISC-V psABI, "Global Pointer"; glibc's
  /// sysdeps/riscv/dl-machine.h.
  static constexpr const char* kGlobalPointer = "__global_pointer$";
  static constexpr GotPltLayout kGotPlt = {
      .module_slot = 1, .resolver_slot = 0, .reserved = 2, .passes_slot = true};
  static constexpr const char* kLoaderSoname = "ld-linux-riscv64-lp64d.so.1";
  /// Where programs of the distributions have it.
  static constexpr const char* kInterpreter = "/lib/ld-linux-riscv64-lp64d.so.1";
  /// rtld-audit's hooks for calls (<bits/link.h>), which glibc 2.36 declares and never calls.
  static constexpr const char* kAuditEnter = "la_riscv_gnu_pltenter";
  static constexpr const char* kAuditExit = "la_riscv_gnu_pltexit";
  static constexpr const char* kLibDir = "lib/riscv64-linux-gnu";
  static constexpr const char* kMultiarch = "riscv64-linux-gnu";
  /// ld.so.cache: FLAG_RISCV_FLOAT_ABI_DOUBLE | FLAG_ELF_LIBC6.
  static constexpr std::uint32_t kCacheFlags = 0x1003;

  /// Landing pads (Zicfilp) are turned on for a process by prctl, not for a file by mprotect.
  static constexpr BranchTargets kBranchTargets = {};
  /// The kernel gives no AT_FPUCW, and libc has no control word to load.
  static constexpr std::uint32_t kFpuControl = 0;
  /// RSEQ_SIG, an instruction that traps in user mode: `csrr mhartid, x0`. Linux,
  /// tools/testing/selftests/rseq/rseq-riscv.h. libc knows it since 2.41.
  static constexpr std::uint32_t kRseqSignature = 0xf1401073;
  // Names of the vDSO's functions (vdso(7)).
  static constexpr const char* kVdsoClockGettime = "__vdso_clock_gettime";
  static constexpr const char* kVdsoClockGetres = "__vdso_clock_getres";
  static constexpr const char* kVdsoGettimeofday = "__vdso_gettimeofday";
  static constexpr const char* kVdsoGetrandom = "__vdso_getrandom";

  static constexpr RelocKind reloc_kind(std::uint32_t r_type) {
    switch (r_type) {
    case 0: return RelocKind::none;
    case 1: return RelocKind::abs32;       // R_RISCV_32
    case 2: return RelocKind::symbolic;    // R_RISCV_64, of GOT slots too: there is no GLOB_DAT
    case 3: return RelocKind::relative;    // R_RISCV_RELATIVE
    case 4: return RelocKind::copy;        // R_RISCV_COPY
    case 5: return RelocKind::jump_slot;   // R_RISCV_JUMP_SLOT
    case 7: return RelocKind::dtpmod;      // R_RISCV_TLS_DTPMOD64
    case 9: return RelocKind::dtpoff;      // R_RISCV_TLS_DTPREL64
    case 11: return RelocKind::tpoff;      // R_RISCV_TLS_TPREL64
    case 12: return RelocKind::tlsdesc;    // R_RISCV_TLSDESC
    case 58: return RelocKind::irelative;  // R_RISCV_IRELATIVE
    default: return RelocKind::unknown;
    }
  }

  static constexpr const char* reloc_name(std::uint32_t r_type) {
    switch (r_type) {
    case 0: return "R_RISCV_NONE";
    case 1: return "R_RISCV_32";
    case 2: return "R_RISCV_64";
    case 3: return "R_RISCV_RELATIVE";
    case 4: return "R_RISCV_COPY";
    case 5: return "R_RISCV_JUMP_SLOT";
    case 7: return "R_RISCV_TLS_DTPMOD64";
    case 9: return "R_RISCV_TLS_DTPREL64";
    case 11: return "R_RISCV_TLS_TPREL64";
    case 12: return "R_RISCV_TLSDESC";
    case 58: return "R_RISCV_IRELATIVE";
    default: return "unknown";
    }
  }

  /// Where an audited call returns to, by the registers that la_*_pltenter gets.
  static std::uintptr_t return_address(const void* registers) {
    constexpr unsigned kLrRa = 16;  // La_riscv_regs: behind lr_reg[8] and lr_fpreg[8]
    return static_cast<const std::uintptr_t*>(registers)[kLrRa];
  }

  /// STO_RISCV_VARIANT_CC: the function takes arguments in registers that the trampoline does not
  /// keep (vector registers among them). Source: psABI, "Symbol Table".
  static constexpr bool must_bind_now(std::uint8_t st_other) { return (st_other & 0x80) != 0; }
};

}  // namespace myld::arch
