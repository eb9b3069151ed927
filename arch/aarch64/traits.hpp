// AArch64: variant I TLS, RELA relocations, a PLT that passes the address of the GOT slot.
// Source: ELF for the Arm 64-bit Architecture (AAELF64) 2023Q3, section 5.7.11 "Dynamic
// relocations" and "Static and dynamic linking"; the ABI extensions for VARIANT_PCS and BTI there.
#pragma once
#include "arch/kinds.hpp"

#include <cstddef>
#include <cstdint>

namespace myld::arch {

struct Aarch64 {
  static constexpr std::uint16_t kMachine = 183;  // EM_AARCH64
  static constexpr const char* kName = "aarch64";
  static constexpr TlsVariant kTlsVariant = TlsVariant::i;
  /// The thread pointer points at two words that belong to the system: the DTV and one more.
  static constexpr std::size_t kTcbReserve = 16;
  static constexpr std::size_t kTcbBelow = 0;
  static constexpr std::uint64_t kDtvOffset = 0;
  static constexpr bool kGotAddend = true;
  static constexpr bool kInitFini = true;
  static constexpr const char* kGlobalPointer = nullptr;
  static constexpr GotPltLayout kGotPlt = {
      .module_slot = 1, .resolver_slot = 2, .reserved = 3, .passes_slot = true};
  static constexpr const char* kLoaderSoname = "ld-linux-aarch64.so.1";
  /// Where programs of the distributions have it.
  static constexpr const char* kInterpreter = "/lib/ld-linux-aarch64.so.1";
  /// rtld-audit's hooks for calls (<bits/link.h>); nullptr: calls are not seen on this ISA.
  static constexpr const char* kAuditEnter = "la_aarch64_gnu_pltenter";
  static constexpr const char* kAuditExit = "la_aarch64_gnu_pltexit";
  static constexpr const char* kLibDir = "lib/aarch64-linux-gnu";
  static constexpr const char* kMultiarch = "aarch64-linux-gnu";
  /// ld.so.cache: FLAG_AARCH64_LIB64 | FLAG_ELF_LIBC6.
  static constexpr std::uint32_t kCacheFlags = 0x0a03;

  /// BTI: GNU_PROPERTY_AARCH64_FEATURE_1_AND and its bit, PROT_BTI, HWCAP2_BTI.
  /// Source: AAELF64 "Program Property"; Linux, arch/arm64/include/uapi/asm/{mman,hwcap}.h.
  static constexpr BranchTargets kBranchTargets = {
      .property = 0xc0000000, .bit = 1, .prot = 0x10, .hwcap2 = 1 << 17};
  /// The kernel gives no AT_FPUCW, and libc has no control word to load.
  static constexpr std::uint32_t kFpuControl = 0;
  /// Marks the abort handlers of restartable sequences (rseq(2), RSEQ_SIG): a `brk` with a number
  /// of its own.
  static constexpr std::uint32_t kRseqSignature = 0xd428bc00;
  // Names of the vDSO's functions (vdso(7)).
  static constexpr const char* kVdsoClockGettime = "__kernel_clock_gettime";
  static constexpr const char* kVdsoClockGetres = "__kernel_clock_getres";
  static constexpr const char* kVdsoGettimeofday = "__kernel_gettimeofday";
  static constexpr const char* kVdsoGetrandom = "__kernel_getrandom";

  static constexpr RelocKind reloc_kind(std::uint32_t r_type) {
    switch (r_type) {
    case 0: return RelocKind::none;
    case 257: return RelocKind::symbolic;    // R_AARCH64_ABS64
    case 1024: return RelocKind::copy;       // R_AARCH64_COPY
    case 1025: return RelocKind::glob_dat;   // R_AARCH64_GLOB_DAT
    case 1026: return RelocKind::jump_slot;  // R_AARCH64_JUMP_SLOT
    case 1027:
      return RelocKind::relative;  // R_AARCH64_RELATIVE
    // AAELF64 leaves to the platform which of 1028 and 1029 is which; this is Linux's choice.
    case 1028: return RelocKind::dtpmod;     // R_AARCH64_TLS_DTPMOD
    case 1029: return RelocKind::dtpoff;     // R_AARCH64_TLS_DTPREL
    case 1030: return RelocKind::tpoff;      // R_AARCH64_TLS_TPREL
    case 1031: return RelocKind::tlsdesc;    // R_AARCH64_TLSDESC
    case 1032: return RelocKind::irelative;  // R_AARCH64_IRELATIVE
    default: return RelocKind::unknown;
    }
  }

  static constexpr const char* reloc_name(std::uint32_t r_type) {
    switch (r_type) {
    case 0: return "R_AARCH64_NONE";
    case 257: return "R_AARCH64_ABS64";
    case 1024: return "R_AARCH64_COPY";
    case 1025: return "R_AARCH64_GLOB_DAT";
    case 1026: return "R_AARCH64_JUMP_SLOT";
    case 1027: return "R_AARCH64_RELATIVE";
    case 1028: return "R_AARCH64_TLS_DTPMOD";
    case 1029: return "R_AARCH64_TLS_DTPREL";
    case 1030: return "R_AARCH64_TLS_TPREL";
    case 1031: return "R_AARCH64_TLSDESC";
    case 1032: return "R_AARCH64_IRELATIVE";
    default: return "unknown";
    }
  }

  /// Where an audited call returns to, by the registers that la_*_pltenter gets.
  static std::uintptr_t return_address(const void* registers) {
    constexpr unsigned kLrLr = (232 - 16) / 8;  // La_aarch64_regs: behind lr_xreg, lr_vreg, lr_sp
    return static_cast<const std::uintptr_t*>(registers)[kLrLr];
  }

  /// STO_AARCH64_VARIANT_PCS: the function takes arguments in registers that the trampoline does
  /// not keep (z and p registers, x9 and up). Source: AAELF64 5.5.4 "Symbol table".
  static constexpr bool must_bind_now(std::uint8_t st_other) { return (st_other & 0x80) != 0; }
};

}  // namespace myld::arch
