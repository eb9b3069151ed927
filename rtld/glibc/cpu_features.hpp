// What the processor can do, told to libc in libc's own terms.
//
// The IFUNC resolvers of libc, libm and libmvec choose between variants (memcpy with AVX-512, sin
// with FMA, ...) by `struct cpu_features` inside `_rtld_global_ro`, and libc copies its tuning
// thresholds from there without checking them. The loader must therefore fill the block, before
// libc is relocated, exactly as that libc's own ld.so would: same bits, same thresholds, same
// tunables applied. What "exactly" is differs between releases, not only in offsets; each ISA's
// cpu_features.cpp says how, and tests compare with `ld.so --list-diagnostics`.

#pragma once

#include "loader/sys/text.hpp"
#include "rtld/glibc/layout.hpp"
#include "rtld/glibc/tunables.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace myld::glibc {

/// What the kernel says of the processor (auxiliary vector, uname).
struct CpuFacts {
  std::uint64_t hwcap = 0, hwcap2 = 0, hwcap3 = 0, hwcap4 = 0;  ///< AT_HWCAP ...
  std::uint64_t min_sigstack = 0;  ///< AT_MINSIGSTKSZ, 0 if the kernel gives none.
  const char* platform = nullptr;  ///< AT_PLATFORM, may be null.
  /// `release` of uname, e.g. "6.1.0-18-arm64"; null = fill_cpu_features() asks where it matters
  /// (aarch64 with SVE).
  const char* kernel_release = nullptr;
};

/// What the loader itself needs to know.
struct CpuResult {
  std::uint64_t dl_hwcap = 0;      ///< value of _rtld_global_ro._dl_hwcap
  const char* platform = nullptr;  ///< _dl_platform and $PLATFORM; null: none
  std::uint64_t min_sigstack = 0;  ///< value of _dl_minsigstacksize, in bytes
  int isa_level = 0;               ///< x86-64-vN with this N is usable, 1 to 4; other ISAs: 0
};

/// Fills `block`, layout.cpu_features.size bytes, where `layout` has such a member (x86_64,
/// aarch64). Applies the glibc.cpu.* tunables, and stores what became of them to `tunables` as
/// glibc does, so that they print as ld.so prints them. Needs: block zeroed; tunables bound to this
/// layout's table. Gives: the block is final.
CpuResult fill_cpu_features(const Layout& layout,
                            const CpuFacts& facts,
                            Tunables& tunables,
                            std::byte* block);

/// The same without a block: what it would hold goes to `out` (unless that is null) in the lines of
/// `ld.so --list-diagnostics`, on ISAs whose glibc has such lines.
CpuResult
describe_cpu(const Layout& layout, const CpuFacts& facts, Tunables& tunables, sys::Text* out);

/// The same before a libc is known (its file may lie in a glibc-hwcaps folder), by the rules of the
/// newest release. Asking twice costs no second round of CPUID.
CpuResult examine_cpu(const CpuFacts& facts, Tunables& tunables);

/// Names of the glibc-hwcaps subdirectories that this processor may use, most specific first.
std::span<const char* const> hwcaps_subdirectories(const CpuResult& cpu);

}  // namespace myld::glibc
