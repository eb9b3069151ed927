// AArch64: what libc's resolvers (memcpy, memset, strlen, ...) choose by.
//
// Source: glibc sysdeps/unix/sysv/linux/aarch64/cpu-features.c of 2.36 (tag and branch), 2.41 and
// 2.43; bits of AT_HWCAP: Linux arch/arm64/include/uapi/asm/hwcap.h.

#include "rtld/glibc/cpu_features.hpp"

#include "arch/port.hpp"

namespace myld::glibc {
namespace {

constexpr std::uint64_t kHwcapCpuid = 1u << 11;
constexpr std::uint64_t kHwcapSve = 1u << 22;
constexpr std::uint64_t kHwcap2Bti = 1u << 17;
constexpr std::uint64_t kHwcap2Mte = 1u << 18;
constexpr std::uint64_t kHwcap2Mops = std::uint64_t{1} << 43;

/// POSIX's constant here is large, since frames have room for SVE.
constexpr std::uint64_t kMinSigstack = 5120;

template <typename T>
void put(std::byte* block, Offset offset, T value) {
  if (offset != kAbsent) __builtin_memcpy(block + offset, &value, sizeof value);
}

/// glibc.cpu.name=NAME: choose as for that processor. False: no such name.
bool midr_by_name(std::string_view name, bool with_removed, std::uint64_t* midr) {
  struct Named {
    std::string_view name;
    std::uint32_t midr;
    bool removed;  ///< with the routines for it, in April 2024
  };
  constexpr Named kNames[] = {
      {"thunderxt88", 0x430f0a10, false},    {"thunderx2t99", 0x431f0af0, false},
      {"thunderx2t99p1", 0x420f5160, false}, {"ares", 0x411fd0c0, false},
      {"emag", 0x503f0001, false},           {"kunpeng920", 0x481fd010, false},
      {"a64fx", 0x460f0010, false},          {"generic", 0, false},
      {"falkor", 0x510fc000, true},          {"phecda", 0x680f0000, true},
  };
  for (const Named& entry : kNames) {
    if (entry.name == name && (with_removed || !entry.removed)) {
      *midr = entry.midr;
      return true;
    }
  }
  return false;
}

/// The `release` of uname(2), as text in `names`, or null.
const char* ask_kernel_release(char (*names)[65]) {
  constexpr long kUname = 160;
  return arch::syscall(kUname, reinterpret_cast<long>(names)) < 0 ? nullptr : names[2];
}

/// Kernels from 4.15 to before 6.2 drop SVE state at every system call, which makes SVE string
/// functions trap; 5.14 is taken for patched, as glibc does. What is not a version is modern.
bool kernel_keeps_sve(const char* release) {
  if (release == nullptr) return true;
  std::uint32_t version = 0;
  for (int shift = 16; shift >= 0; shift -= 8) {
    std::uint32_t part = 0;
    for (; *release >= '0' && *release <= '9'; ++release)
      part = part * 10 + static_cast<std::uint32_t>(*release - '0');
    version |= (part & 0xff) << shift;
    if (*release++ != '.') break;
  }
  return version >= 0x060200 || version == 0x050e00 || version < 0x040f00;
}

/// The kernel emulates this read where it announces HWCAP_CPUID.
std::uint64_t read_midr() {
  std::uint64_t value = 0;
  asm volatile("mrs %0, midr_el1" : "=r"(value));
  return value;
}

std::uint64_t read_dczid() {
  std::uint64_t value = 0;
  asm volatile("mrs %0, dczid_el0" : "=r"(value));
  return value;
}

/// glibc.mem.tagging=N: bit 1 asks for faults at the access, bit 2 for whichever kind of fault the
/// processor prefers, else they are reported late. Tag 0 is libc's own. A kernel that refuses
/// leaves tags unchecked, which is as safe as having none. Source: Linux
/// include/uapi/linux/prctl.h.
void enable_memory_tagging(std::uint8_t state) {
  constexpr long kPrctl = 167;
  constexpr long kSetTaggedAddrCtrl = 55;
  constexpr long kAddressesEnabled = 1 << 0, kSynchronous = 1 << 1, kAsynchronous = 1 << 2;
  constexpr long kTags = 0xfffeL << 3;
  long faults = (state & 4) != 0   ? kSynchronous | kAsynchronous
                : (state & 2) != 0 ? kSynchronous
                                   : kAsynchronous;
  arch::syscall(kPrctl, kSetTaggedAddrCtrl, kAddressesEnabled | faults | kTags);
}

}  // namespace

CpuResult fill_cpu_features(const Layout& layout,
                            const CpuFacts& facts,
                            Tunables& tunables,
                            std::byte* block) {
  const Layout::CpuFeatures& at = layout.cpu_features;
  std::uint64_t midr = 0;
  // The removal and `mops` came to every branch on the same days.
  if (!midr_by_name(tunables.string(TunableKey::cpu_name), at.mops == kAbsent, &midr) &&
      (facts.hwcap & kHwcapCpuid) != 0)
    midr = read_midr();
  put(block, at.midr_el1, midr);

  constexpr std::uint64_t kZvaProhibited = 1 << 4;
  std::uint64_t dczid = read_dczid();
  if ((dczid & kZvaProhibited) == 0) put(block, at.zva_size, std::uint32_t{4} << (dczid & 0xf));

  bool sve = (facts.hwcap & kHwcapSve) != 0;
  auto byte = [](bool value) { return static_cast<std::uint8_t>(value); };
  put(block, at.bti, byte((facts.hwcap2 & kHwcap2Bti) != 0));
  put(block, at.sve, byte(sve));
  if (sve && at.prefer_sve_ifuncs != kAbsent) {
    char names[6][65];  // struct new_utsname: sysname, nodename, release, ...
    const char* release = facts.kernel_release;
    if (release == nullptr) release = ask_kernel_release(names);
    put(block, at.prefer_sve_ifuncs, byte(kernel_keeps_sve(release)));
  }
  put(block, at.mops, byte((facts.hwcap2 & kHwcap2Mops) != 0));

  // libc's malloc reads the tunable for itself: it must read 0 where the processor has no tags.
  bool has_tags = (facts.hwcap2 & kHwcap2Mte) != 0;
  auto tagging = static_cast<std::uint8_t>(has_tags ? tunables.number(TunableKey::mem_tagging, 0)
                                                    : std::uint64_t{0});
  put(block, at.mte_state, tagging);
  tunables.set(TunableKey::mem_tagging, tagging, 0, 255);
  if (tagging != 0) enable_memory_tagging(tagging);
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
