// RISC-V: glibc keeps no block of features here. Its resolvers get AT_HWCAP and the address of
// __riscv_hwprobe as arguments, and ask for themselves.

#include "rtld/glibc/cpu_features.hpp"

namespace myld::glibc {

/// POSIX's MINSIGSTKSZ, for a kernel that gives no AT_MINSIGSTKSZ.
constexpr std::uint64_t kMinSigstack = 2048;

CpuResult fill_cpu_features(const Layout&, const CpuFacts& facts, Tunables& tunables, std::byte*) {
  return examine_cpu(facts, tunables);
}

CpuResult describe_cpu(const Layout&, const CpuFacts& facts, Tunables& tunables, sys::Text*) {
  return examine_cpu(facts, tunables);
}

CpuResult examine_cpu(const CpuFacts& facts, Tunables&) {
  CpuResult result;
  result.dl_hwcap = facts.hwcap;
  result.platform = facts.platform;
  result.min_sigstack = facts.min_sigstack != 0 ? facts.min_sigstack : kMinSigstack;
  return result;
}

/// glibc defines none for this ISA.
std::span<const char* const> hwcaps_subdirectories(const CpuResult&) { return {}; }

}  // namespace myld::glibc
