// x86-64: variant II TLS, RELA relocations, a PLT that passes (module, relocation index) on the
// stack. Source: System V ABI, AMD64 supplement 1.0, chapter 4 and table 4.9.
#pragma once
#include "arch/kinds.hpp"

#include <cstddef>
#include <cstdint>

namespace myld::arch {

struct X86_64 {
  static constexpr std::uint16_t kMachine = 62;  // EM_X86_64
  static constexpr const char* kName = "x86_64";
  static constexpr TlsVariant kTlsVariant = TlsVariant::ii;
  /// Bytes between the thread pointer and the first TLS block (variant I only).
  static constexpr std::size_t kTcbReserve = 0;
  /// Bytes right below the thread pointer that belong to the TCB (variant I only).
  static constexpr std::size_t kTcbBelow = 0;
  static constexpr std::uint64_t kDtvOffset = 0;
  /// GLOB_DAT and JUMP_SLOT ignore the addend: binutils' -z mark-plt stores the PLT entry there.
  static constexpr bool kGotAddend = false;
  static constexpr bool kInitFini = true;
  static constexpr const char* kGlobalPointer = nullptr;
  static constexpr GotPltLayout kGotPlt = {
      .module_slot = 1, .resolver_slot = 2, .reserved = 3, .passes_slot = false};
  /// The name by which libc's DT_NEEDED asks for its loader.
  static constexpr const char* kLoaderSoname = "ld-linux-x86-64.so.2";
  /// Where programs of the distributions have it.
  static constexpr const char* kInterpreter = "/lib64/ld-linux-x86-64.so.2";
  /// rtld-audit's hooks for calls (<bits/link.h>); nullptr: calls are not seen on this ISA.
  static constexpr const char* kAuditEnter = "la_x86_64_gnu_pltenter";
  static constexpr const char* kAuditExit = "la_x86_64_gnu_pltexit";
  static constexpr const char* kLibDir = "lib/x86_64-linux-gnu";
  static constexpr const char* kMultiarch = "x86_64-linux-gnu";
  /// Flag bits of an ld.so.cache entry for this ABI (glibc's dl-cache.h: FLAG_X8664_LIB64 |
  /// ELF_LIBC6).
  static constexpr std::uint32_t kCacheFlags = 0x0303;

  /// IBT of user space is no matter of mprotect, and Linux does not offer it.
  static constexpr BranchTargets kBranchTargets = {};
  /// What AT_FPUCW stands for where the kernel gives none; 0: the ISA has no such word.
  static constexpr std::uint32_t kFpuControl = 0x037f;
  /// Marks the abort handlers of restartable sequences (rseq(2), RSEQ_SIG).
  static constexpr std::uint32_t kRseqSignature = 0x53053053;
  // Names of the vDSO's functions (vdso(7)).
  static constexpr const char* kVdsoClockGettime = "__vdso_clock_gettime";
  static constexpr const char* kVdsoClockGetres = "__vdso_clock_getres";
  static constexpr const char* kVdsoGettimeofday = "__vdso_gettimeofday";
  static constexpr const char* kVdsoGetrandom = "__vdso_getrandom";

  static constexpr RelocKind reloc_kind(std::uint32_t r_type) {
    switch (r_type) {
    case 0: return RelocKind::none;
    case 1: return RelocKind::symbolic;    // R_X86_64_64
    case 2: return RelocKind::pc32;        // R_X86_64_PC32
    case 5: return RelocKind::copy;        // R_X86_64_COPY
    case 6: return RelocKind::glob_dat;    // R_X86_64_GLOB_DAT
    case 7: return RelocKind::jump_slot;   // R_X86_64_JUMP_SLOT
    case 8: return RelocKind::relative;    // R_X86_64_RELATIVE
    case 10: return RelocKind::abs32;      // R_X86_64_32
    case 16: return RelocKind::dtpmod;     // R_X86_64_DTPMOD64
    case 17: return RelocKind::dtpoff;     // R_X86_64_DTPOFF64
    case 18: return RelocKind::tpoff;      // R_X86_64_TPOFF64
    case 24: return RelocKind::pc64;       // R_X86_64_PC64
    case 32: return RelocKind::size32;     // R_X86_64_SIZE32
    case 33: return RelocKind::size64;     // R_X86_64_SIZE64
    case 36: return RelocKind::tlsdesc;    // R_X86_64_TLSDESC
    case 37: return RelocKind::irelative;  // R_X86_64_IRELATIVE
    case 38: return RelocKind::relative;   // R_X86_64_RELATIVE64
    default: return RelocKind::unknown;
    }
  }

  static constexpr const char* reloc_name(std::uint32_t r_type) {
    switch (r_type) {
    case 0: return "R_X86_64_NONE";
    case 1: return "R_X86_64_64";
    case 2: return "R_X86_64_PC32";
    case 5: return "R_X86_64_COPY";
    case 6: return "R_X86_64_GLOB_DAT";
    case 7: return "R_X86_64_JUMP_SLOT";
    case 8: return "R_X86_64_RELATIVE";
    case 10: return "R_X86_64_32";
    case 16: return "R_X86_64_DTPMOD64";
    case 17: return "R_X86_64_DTPOFF64";
    case 18: return "R_X86_64_TPOFF64";
    case 24: return "R_X86_64_PC64";
    case 32: return "R_X86_64_SIZE32";
    case 33: return "R_X86_64_SIZE64";
    case 36: return "R_X86_64_TLSDESC";
    case 37: return "R_X86_64_IRELATIVE";
    case 38: return "R_X86_64_RELATIVE64";
    default: return "unknown";
    }
  }

  /// Where the audited call returns to, of the registers that la_*_pltenter gets.
  static std::uintptr_t return_address(const void* registers) {
    constexpr unsigned kLrRsp = 7;  // La_x86_64_regs: the stack as the function finds it
    return *static_cast<const std::uintptr_t* const*>(registers)[kLrRsp];
  }

  /// The trampoline keeps every argument register, so any function may be bound lazily.
  static constexpr bool must_bind_now(std::uint8_t) { return false; }
};

}  // namespace myld::arch
