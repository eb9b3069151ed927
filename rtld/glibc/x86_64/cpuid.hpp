// CPUID, each leaf at most once: under a hypervisor every execution traps and costs microseconds.

#pragma once

#include "arch/x86_64/cpuid.hpp"

#include <cstdint>

namespace myld::glibc::x86 {

using arch::CpuidRegs;

/// Where the answers come from: the processor, or a test.
struct CpuidSource {
  CpuidRegs (*cpuid)(std::uint32_t leaf, std::uint32_t subleaf);
  std::uint64_t (*xcr0)();
};

/// Remembers what was asked.
class Cpuid {
public:
  constexpr explicit Cpuid(CpuidSource source) : source_(source) {}

  /// Any leaf; one that the processor does not have gives what the processor gives.
  CpuidRegs leaf(std::uint32_t leaf, std::uint32_t subleaf = 0) {
    for (unsigned i = 0; i < used_; ++i) {
      if (kept_[i].leaf == leaf && kept_[i].subleaf == subleaf) return kept_[i].regs;
    }
    CpuidRegs regs = source_.cpuid(leaf, subleaf);
    if (used_ < kKept) kept_[used_++] = {leaf, subleaf, regs};
    return regs;
  }

  /// XCR0, which vector states the system saves. Needs: OSXSAVE.
  std::uint64_t xcr0() const { return source_.xcr0(); }

  /// How many leaves were executed so far (up to the capacity).
  unsigned executed() const { return used_; }

private:
  static constexpr unsigned kKept = 40;
  struct Kept {
    std::uint32_t leaf, subleaf;
    CpuidRegs regs;
  };

  CpuidSource source_;
  unsigned used_ = 0;
  Kept kept_[kKept]{};
};

}  // namespace myld::glibc::x86
