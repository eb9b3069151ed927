// An invented machine, for two readers: the person who adds an ISA, and the unit tests, which
// relocate for it as for the real ones. It differs from each of them in something, so that code
// which took one ISA's habit for a law fails on it. Copy this file to begin a port
// (arch/PORTING.md), and replace every value by the one that the psABI gives, with the section it
// is from.
#pragma once
#include "arch/kinds.hpp"

#include <cstddef>
#include <cstdint>

namespace myld::arch {

struct Exemplar {
  /// e_machine. Files with another one are refused. Source: the gABI's registry; ours is a number
  /// that is not given out.
  static constexpr std::uint16_t kMachine = 0xfe5e;

  /// Name of the folder here and under rtld/glibc; also what $PLATFORM-like searches call the ISA.
  static constexpr const char* kName = "exemplar";

  /// On which side of the thread pointer the TLS blocks lie.
  static constexpr TlsVariant kTlsVariant = TlsVariant::i;

  /// Variant I: bytes from the thread pointer that belong to the TCB; the first block begins at the
  /// next multiple of its alignment. The linker computes local-exec offsets with the same number,
  /// so a wrong one shows as programs that read their neighbour's variables. Here: three words.
  static constexpr std::size_t kTcbReserve = 24;

  /// Variant I: bytes right below the thread pointer that belong to the TCB too.
  static constexpr std::size_t kTcbBelow = 8;

  /// What DTPREL words have subtracted and __tls_get_addr adds, so that a 16-bit signed offset
  /// reaches further. 0 on most; ISAs of the MIPS family and RISC-V have one. Here it is like no
  /// other.
  static constexpr std::uint64_t kDtvOffset = 0x4000;

  /// Do GLOB_DAT and JUMP_SLOT add r_addend? The psABI's table says S, or S + A.
  static constexpr bool kGotAddend = true;

  /// Are DT_INIT and DT_FINI called? Not on ISAs that were born after the arrays.
  static constexpr bool kInitFini = true;

  /// The program's symbol that a register holds all the time (riscv64's gp), or nullptr.
  static constexpr const char* kGlobalPointer = nullptr;

  /// The reserved words at the start of .got.plt, by index: what the PLT's header loads.
  static constexpr GotPltLayout kGotPlt = {
      .module_slot = 2, .resolver_slot = 0, .reserved = 3, .passes_slot = true};

  /// The DT_NEEDED name by which a libc asks for its loader. This loader answers to it.
  static constexpr const char* kLoaderSoname = "ld-linux-exemplar.so.1";
  /// Where programs of the distributions have it.
  static constexpr const char* kInterpreter = "/lib/ld-linux-exemplar.so.1";

  /// rtld-audit's hooks for calls (<bits/link.h>); nullptr: calls are not seen on this ISA.
  static constexpr const char* kAuditEnter = nullptr;
  static constexpr const char* kAuditExit = nullptr;

  /// Default library directory of a multiarch distribution, without the leading '/'; $LIB.
  static constexpr const char* kLibDir = "lib/exemplar-linux-gnu";
  static constexpr const char* kMultiarch = "exemplar-linux-gnu";

  /// Flags of the entries of ld.so.cache that are for this ABI (glibc's dl-cache.h).
  static constexpr std::uint32_t kCacheFlags = 0xee03;

  /// What AT_FPUCW stands for where the kernel gives none; 0: the ISA has no such word.
  static constexpr std::uint32_t kFpuControl = 0;

  /// Marks the abort handlers of restartable sequences (rseq(2), RSEQ_SIG); 0: none is registered.
  static constexpr std::uint32_t kRseqSignature = 0;

  // Names of the vDSO's functions (vdso(7)).
  static constexpr const char* kVdsoClockGettime = "__vdso_clock_gettime";
  static constexpr const char* kVdsoClockGetres = "__vdso_clock_getres";
  static constexpr const char* kVdsoGettimeofday = "__vdso_gettimeofday";
  static constexpr const char* kVdsoGetrandom = "__vdso_getrandom";

  /// How files say that their indirect branches land on marked instructions only, and how the
  /// kernel is told; {}: the ISA has no such thing, or the kernel wants to be told otherwise.
  static constexpr BranchTargets kBranchTargets = {
      .property = 0xc000ee00, .bit = 2, .prot = 0x20, .hwcap2 = 1};

  /// Every dynamic relocation of the psABI's table, and no other: an unknown number is refused by
  /// name of the file and place, never skipped. Kinds that an ISA lacks are never returned.
  static constexpr RelocKind reloc_kind(std::uint32_t r_type) {
    switch (r_type) {
    case 0: return RelocKind::none;
    case 1: return RelocKind::relative;
    case 2: return RelocKind::symbolic;
    case 3: return RelocKind::glob_dat;
    case 4: return RelocKind::jump_slot;
    case 5: return RelocKind::copy;
    case 6: return RelocKind::irelative;
    case 7: return RelocKind::dtpmod;
    case 8: return RelocKind::dtpoff;
    case 9: return RelocKind::tpoff;
    case 10: return RelocKind::tlsdesc;
    case 11: return RelocKind::abs32;
    case 12: return RelocKind::pc32;
    case 13: return RelocKind::pc64;
    case 14: return RelocKind::size32;
    case 15: return RelocKind::size64;
    default: return RelocKind::unknown;
    }
  }

  /// The psABI's spelling, for messages.
  static constexpr const char* reloc_name(std::uint32_t r_type) {
    constexpr const char* kNames[] = {
        "R_EXEMPLAR_NONE",      "R_EXEMPLAR_RELATIVE",  "R_EXEMPLAR_64",
        "R_EXEMPLAR_GLOB_DAT",  "R_EXEMPLAR_JUMP_SLOT", "R_EXEMPLAR_COPY",
        "R_EXEMPLAR_IRELATIVE", "R_EXEMPLAR_DTPMOD",    "R_EXEMPLAR_DTPREL",
        "R_EXEMPLAR_TPREL",     "R_EXEMPLAR_TLSDESC",   "R_EXEMPLAR_32",
        "R_EXEMPLAR_PC32",      "R_EXEMPLAR_PC64",      "R_EXEMPLAR_SIZE32",
        "R_EXEMPLAR_SIZE64",
    };
    return r_type < sizeof kNames / sizeof *kNames ? kNames[r_type] : "unknown";
  }

  /// Where an audited call returns to, by the registers that la_*_pltenter gets.
  /// 0 where calls are not seen.
  static std::uintptr_t return_address(const void*) { return 0; }

  /// Functions whose st_other says that they take arguments in registers which the lazy trampoline
  /// does not keep. They are bound at load. false, always, where the trampoline keeps everything.
  static constexpr bool must_bind_now(std::uint8_t st_other) { return (st_other & 0x40) != 0; }
};

}  // namespace myld::arch
