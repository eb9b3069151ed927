// The words in which every port describes its relocations and its thread-local storage.
#pragma once
#include <cstdint>

namespace myld::arch {

/// What a dynamic relocation asks for, whatever number its ISA gives it. S is the symbol's run
/// address, A the addend, B the load bias, P the run address of the place.
enum class RelocKind : std::uint8_t {
  none,
  relative,   ///< B + A
  symbolic,   ///< S + A, a word
  glob_dat,   ///< S (+ A where Port::kGotAddend), a GOT slot
  jump_slot,  ///< S (+ A where Port::kGotAddend), a PLT slot that may be bound lazily
  copy,       ///< st_size bytes of the definition are copied to P
  irelative,  ///< the result of calling the resolver at B + A
  dtpmod,     ///< TLS module ID of the defining module
  dtpoff,     ///< offset of S in its TLS block, minus Port::kDtvOffset
  tpoff,      ///< offset of S from the thread pointer
  tlsdesc,    ///< two words: resolver and argument
  abs32,      ///< S + A, 32 bits, zero-extended
  pc32,       ///< S + A - P, 32 bits, sign-extended
  pc64,       ///< S + A - P
  size32,     ///< st_size + A, 32 bits
  size64,     ///< st_size + A
  unknown,
};

/// ELF TLS: variant I puts the blocks above the thread pointer, variant II below.
/// Source: Drepper, "ELF Handling For Thread-Local Storage", section 3.
enum class TlsVariant : std::uint8_t { i, ii };

/// How a file says that its indirect branches land on marked instructions only, and how the kernel
/// is told to check it. prot == 0: not on this ISA, or not by mmap's protection.
struct BranchTargets {
  std::uint32_t property = 0;  ///< type of the program property in PT_GNU_PROPERTY
  std::uint32_t bit = 0;       ///< of its value
  int prot = 0;                ///< mprotect's bit
  std::uint64_t hwcap2 = 0;    ///< AT_HWCAP2: the CPU checks
};

/// What a lazily bound PLT leaves in the reserved words of its GOT.
struct GotPltLayout {
  std::uint8_t module_slot;    ///< index of the word that holds the module
  std::uint8_t resolver_slot;  ///< index of the word that holds the trampoline's address
  std::uint8_t reserved;       ///< words in front of the first slot
  /// The PLT passes the slot, not the relocation's index: slot n must be that of entry n of
  /// DT_JMPREL.
  bool passes_slot;
};

}  // namespace myld::arch
