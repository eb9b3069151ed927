// x86-64: from the processor to libc's `struct cpu_features`.

#include "rtld/glibc/cpu_features.hpp"

#include "rtld/glibc/x86_64/cpu.hpp"

namespace myld::glibc {
namespace x86 {
namespace {

/// The processor never changes its answers, so they are kept for the life of the process. Written
/// at start only, before there are threads.
constinit Cpuid g_cpuid{{arch::cpuid, arch::xcr0}};

template <typename T>
void put(std::byte* block, Offset offset, T value) {
  if (offset != kAbsent) __builtin_memcpy(block + offset, &value, sizeof value);
}

/// The word `preferred[0]` in the numbering of the release.
std::uint32_t preferred_word(const Cpu& cpu, const Rules& rules, const Layout& layout) {
  constexpr std::uint32_t kFromNoVzeroupper = ~0u << Prefer_No_VZEROUPPER;
  std::uint32_t known = (1u << (Avoid_Short_Distance_REP_MOVSB + 1)) - 1;
  if (rules.memset != Memset::no_threshold) known |= 1u << Avoid_Non_Temporal_Memset;
  if (rules.memset == Memset::preferences) known |= 1u << Avoid_STOSB;
  std::uint32_t word = cpu.preferred & known;
  bool map_32bit = layout.preferred_bits == PreferredBits::with_map_32bit;
  if (rules.prefers_avx2_strcmp) {
    // In 2.34 Prefer_AVX2_STRCMP stands before Avoid_Short_Distance_REP_MOVSB, and Prefer_MAP_32BIT
    // is there in the release but not on its branch.
    word &= ~(1u << Avoid_Short_Distance_REP_MOVSB);
    word |= cpu.prefers(Prefer_AVX2_STRCMP) ? 1u << Avoid_Short_Distance_REP_MOVSB : 0;
    word |= cpu.prefers(Avoid_Short_Distance_REP_MOVSB) ? 2u << Avoid_Short_Distance_REP_MOVSB : 0;
    map_32bit = layout.rtld_global.size < 4176;
  }
  if (map_32bit) return word;
  std::uint32_t low = word & ((1u << Prefer_MAP_32BIT_EXEC) - 1);
  return low | (word & kFromNoVzeroupper) >> 1;
}

/// AT_MINSIGSTKSZ for a kernel that does not say: the signal frame with the XSAVE area, as glibc's
/// dl-minsigstacksize.h puts it together, else POSIX's constant.
std::uint64_t min_sigstack(const Cpu& cpu) {
  if (cpu.max_leaf < 0xd || !cpu.has(OSXSAVE)) return 2048;
  std::uint64_t frame = (440 + 8 + 15 + 15) & ~std::uint64_t{15};  // rt_sigframe, return address
  frame += 64 - 16;                                                // to align the area
  return frame + cpu.xsave_area_bytes + 4;                         // FP_XSTATE_MAGIC2
}

/// Are the sizes of XSAVE areas worth a leaf? libc does not look at them, and the loader's own area
/// is asked for where it is first needed; but a kernel that gives no AT_MINSIGSTKSZ needs them.
bool needs_sizes(const CpuFacts& facts) { return facts.min_sigstack == 0; }

/// All but what the layout itself shows.
Rules rules_of(std::uint8_t minor, bool branch) {
  return {
      .minor = minor,
      .has_newer_features = minor >= 38,
      .shstk_can_be_set = minor >= 39,
      .tlsdesc_save_area = minor >= 40 || (minor == 39 && branch),
      .full_size_is_standard = minor >= 41,
      .prefers_avx2_strcmp = minor == 34,
      .avx_vnni_allows_avx512 = minor >= 35 || branch,
      .disables_skylake_tsx = minor >= 35,
      .groups_intel_models = minor >= 38,
      .tunes_all_intel = minor >= 41,
      .knows_nova_lake = minor >= 43,
      .hygon_is_kind = minor >= 41,
      .tunes_hygon = minor >= 43,
      .tunes_yongfeng = minor >= 40,
      .leaf4_instead_of_2 = minor >= 39 || branch,
      .amd_leaf_1d = minor >= 37,
      .amd_legacy_fallback = minor >= 39 || (minor >= 37 && branch),
      .doubled_rep_movsb = minor >= 35,
      .late_rep_movsb_stop = minor >= 36,
      .share_is_threshold = minor <= 37 && !branch,
      .bounded_non_temporal = minor >= 37 || branch,
      .unknown_cache_is_64m = minor >= 38,
      .amd_avoids_erms = minor >= 40 || (minor >= 38 && branch),
  };
}

CpuResult result_of(const Cpu& cpu, const CpuFacts& facts) {
  CpuResult result;
  result.platform = facts.platform;
  // Not the kernel's AT_HWCAP: bit 1 "x86-64", bit 2 "AVX-512 of the first generation".
  result.dl_hwcap = 1 << 1;
  if (cpu.kind == Kind::intel) {
    bool phi = cpu.usable(AVX512CD) && cpu.usable(AVX512ER);
    if (cpu.usable(AVX512CD) && !phi && cpu.usable(AVX512BW) && cpu.usable(AVX512DQ) &&
        cpu.usable(AVX512VL))
      result.dl_hwcap |= 1 << 2;
    if (phi && cpu.usable(AVX512PF))
      result.platform = "xeon_phi";
    else if (cpu.usable(AVX2) && cpu.usable(FMA) && cpu.usable(BMI1) && cpu.usable(BMI2) &&
             cpu.usable(LZCNT) && cpu.usable(MOVBE) && cpu.usable(POPCNT))
      result.platform = "haswell";
  }
  result.min_sigstack = facts.min_sigstack != 0 ? facts.min_sigstack : min_sigstack(cpu);
  result.isa_level = isa_level(cpu);
  return result;
}

}  // namespace

std::uint32_t kind_number(Kind kind, const Rules& rules) {
  if (kind == Kind::other && !rules.hygon_is_kind)
    return static_cast<std::uint32_t>(Kind::other) - 1;
  return static_cast<std::uint32_t>(kind);
}

Rules newest_rules() {
  Rules rules = rules_of(43, true);
  rules.has_leaf24 = true;
  rules.memset = Memset::preferences;
  return rules;
}

Rules rules_for(const Layout& layout) {
  const unsigned minor = layout.minor;
  // Marks of a build that follows its release's branch: 2.34 has a third lock since October 2021,
  // 2.35 to 2.38 have link_map.l_init_called_next since September 2023, 2.39 has AT_HWCAP3 since
  // March 2024.
  bool branch = minor >= 40;
  if (minor == 34)
    branch = layout.rtld_global.size >= 4176;
  else if (minor == 35)
    branch = layout.link_map.size >= 1168;
  else if (minor >= 36 && minor <= 38)
    branch = layout.link_map.size >= 1192;
  else if (minor == 39)
    branch = layout.rtld_global_ro._dl_hwcap3 != kAbsent;
  Rules rules = rules_of(layout.minor, branch);
  std::uint32_t leaves = (layout.cpu_features.preferred - layout.cpu_features.features) / 32u;
  rules.has_leaf24 = leaves > kLeaf24;
  if (layout.cpu_features.memset_non_temporal_threshold == kAbsent)
    rules.memset = Memset::no_threshold;
  else  // 2.39's branch took it over in April 2025, with what had followed
    rules.memset = minor == 40 ? Memset::intel_and_amd : Memset::preferences;
  return rules;
}

Cpu examine(
    Cpuid& cpuid, const Rules& rules, std::uint64_t hwcap2, const Tunables& tunables, bool sizes) {
  Cpu cpu;
  std::uint32_t extended_model = 0;
  read_leaves(cpu, cpuid, rules, &extended_model);
  find_usable(cpu, cpuid, rules, hwcap2);
  if (sizes && cpu.has(OSXSAVE)) find_xsave_sizes(cpu, cpuid, rules);
  apply_model(cpu, rules, extended_model);
  find_caches(cpu, cpuid, rules, tunables);
  apply_hwcaps(cpu, rules, tunables);
  drop_what_needs_xsave(cpu);
  return cpu;
}

void store(const Cpu& cpu, const Rules& rules, const Layout& layout, std::byte* block) {
  const Layout::CpuFeatures& at = layout.cpu_features;
  const std::uint32_t basic[] = {kind_number(cpu.kind, rules), cpu.max_leaf, cpu.family, cpu.model,
                                 cpu.stepping};
  __builtin_memcpy(block + at.basic, basic, sizeof basic);
  __builtin_memcpy(block + at.features, cpu.features,
                   (rules.has_leaf24 ? kLeaf24 + 1 : kLeaf24) * sizeof cpu.features[0]);
  put(block, at.preferred, preferred_word(cpu, rules, layout));
  put(block, at.isa_1, cpu.isa_1);
  put(block, at.xsave_state_size, cpu.xsave_state_size);
  put(block, at.xsave_state_full_size, cpu.xsave_state_full_size);
  put(block, at.data_cache_size, cpu.thresholds.data_cache_size);
  put(block, at.shared_cache_size, cpu.thresholds.shared_cache_size);
  put(block, at.non_temporal_threshold, cpu.thresholds.non_temporal);
  put(block, at.memset_non_temporal_threshold, cpu.thresholds.memset_non_temporal);
  put(block, at.rep_movsb_threshold, cpu.thresholds.rep_movsb);
  put(block, at.rep_movsb_stop_threshold, cpu.thresholds.rep_movsb_stop);
  put(block, at.rep_stosb_threshold, cpu.thresholds.rep_stosb);
  put(block, at.level1_icache_size, cpu.caches.level1_icache_size);
  put(block, at.level1_icache_linesize, cpu.caches.level1_icache_linesize);
  put(block, at.level1_dcache_size, cpu.caches.level1_dcache_size);
  put(block, at.level1_dcache_assoc, cpu.caches.level1_dcache_assoc);
  put(block, at.level1_dcache_linesize, cpu.caches.level1_dcache_linesize);
  put(block, at.level2_cache_size, cpu.caches.level2_cache_size);
  put(block, at.level2_cache_assoc, cpu.caches.level2_cache_assoc);
  put(block, at.level2_cache_linesize, cpu.caches.level2_cache_linesize);
  put(block, at.level3_cache_size, cpu.caches.level3_cache_size);
  put(block, at.level3_cache_assoc, cpu.caches.level3_cache_assoc);
  put(block, at.level3_cache_linesize, cpu.caches.level3_cache_linesize);
  put(block, at.level4_cache_size, cpu.caches.level4_cache_size);
  put(block, at.cachesize_non_temporal_divisor, cpu.non_temporal_divisor);
}

}  // namespace x86

CpuResult fill_cpu_features(const Layout& layout,
                            const CpuFacts& facts,
                            Tunables& tunables,
                            std::byte* block) {
  x86::Rules rules = x86::rules_for(layout);
  x86::Cpu cpu = x86::examine(x86::g_cpuid, rules, facts.hwcap2, tunables, x86::needs_sizes(facts));
  x86::store(cpu, rules, layout, block);
  x86::store_thresholds(cpu, rules, tunables);
  return x86::result_of(cpu, facts);
}

CpuResult
describe_cpu(const Layout& layout, const CpuFacts& facts, Tunables& tunables, sys::Text* out) {
  x86::Rules rules = x86::rules_for(layout);
  x86::Cpu cpu = x86::examine(x86::g_cpuid, rules, facts.hwcap2, tunables);
  x86::store_thresholds(cpu, rules, tunables);
  if (out != nullptr) x86::print_lines(cpu, rules, layout, *out);
  return x86::result_of(cpu, facts);
}

CpuResult examine_cpu(const CpuFacts& facts, Tunables& tunables) {
  x86::Rules rules = x86::newest_rules();
  x86::Cpu cpu = x86::examine(x86::g_cpuid, rules, facts.hwcap2, tunables, x86::needs_sizes(facts));
  x86::store_thresholds(cpu, rules, tunables);
  return x86::result_of(cpu, facts);
}

std::span<const char* const> hwcaps_subdirectories(const CpuResult& cpu) {
  static constexpr const char* kNames[] = {"x86-64-v4", "x86-64-v3", "x86-64-v2"};
  std::size_t usable = cpu.isa_level > 1 ? static_cast<std::size_t>(cpu.isa_level) - 1 : 0;
  return std::span{kNames}.last(usable);
}

}  // namespace myld::glibc
