// x86-64: `struct cpu_features` in the lines of `ld.so --list-diagnostics`.
#include "rtld/glibc/x86_64/cpu.hpp"

namespace myld::glibc::x86 {
namespace {

using sys::Hex;

class Lines {
public:
  explicit Lines(sys::Text& out) : out_(out) {}

  void line(const char* key, std::uint64_t value) {
    out_ << "x86.cpu_features." << key << '=' << Hex{value} << '\n';
  }
  /// Only where the release has the member.
  void line(const char* key, Offset offset, std::uint64_t value) {
    if (offset != kAbsent) line(key, value);
  }
  void leaf(unsigned index, const char* what, const std::uint32_t (&registers)[4]) {
    for (unsigned i = 0; i < 4; ++i)
      out_ << "x86.cpu_features.features[" << Hex{index} << "]." << what << '[' << Hex{i}
           << "]=" << Hex{registers[i]} << '\n';
  }

private:
  sys::Text& out_;
};

struct Named {
  Preference preference;
  char name[36];
};
constexpr Named kPreferences[] = {
    {Fast_Rep_String, "Fast_Rep_String"},
    {Fast_Copy_Backward, "Fast_Copy_Backward"},
    {Slow_BSF, "Slow_BSF"},
    {Fast_Unaligned_Load, "Fast_Unaligned_Load"},
    {Prefer_PMINUB_for_stringop, "Prefer_PMINUB_for_stringop"},
    {Fast_Unaligned_Copy, "Fast_Unaligned_Copy"},
    {I586, "I586"},
    {I686, "I686"},
    {Slow_SSE4_2, "Slow_SSE4_2"},
    {AVX_Fast_Unaligned_Load, "AVX_Fast_Unaligned_Load"},
    {Prefer_MAP_32BIT_EXEC, "Prefer_MAP_32BIT_EXEC"},
    {Prefer_No_VZEROUPPER, "Prefer_No_VZEROUPPER"},
    {Prefer_ERMS, "Prefer_ERMS"},
    {Prefer_No_AVX512, "Prefer_No_AVX512"},
    {MathVec_Prefer_No_AVX512, "MathVec_Prefer_No_AVX512"},
    {Prefer_FSRM, "Prefer_FSRM"},
    {Avoid_Short_Distance_REP_MOVSB, "Avoid_Short_Distance_REP_MOVSB"},
    {Avoid_Non_Temporal_Memset, "Avoid_Non_Temporal_Memset"},
    {Avoid_STOSB, "Avoid_STOSB"},
    {Prefer_AVX2_STRCMP, "Prefer_AVX2_STRCMP"},
};

bool release_knows(Preference p, const Rules& rules, const Layout& layout) {
  switch (p) {
  case Prefer_MAP_32BIT_EXEC: return layout.preferred_bits == PreferredBits::with_map_32bit;
  case Prefer_AVX2_STRCMP: return rules.prefers_avx2_strcmp;
  case Avoid_Non_Temporal_Memset: return rules.memset != Memset::no_threshold;
  case Avoid_STOSB: return rules.memset == Memset::preferences;
  default: return true;
  }
}

}  // namespace

void print_lines(const Cpu& cpu, const Rules& rules, const Layout& layout, sys::Text& out) {
  Lines lines(out);
  lines.line("basic.kind", kind_number(cpu.kind, rules));
  lines.line("basic.max_cpuid", cpu.max_leaf);
  lines.line("basic.family", cpu.family);
  lines.line("basic.model", cpu.model);
  lines.line("basic.stepping", cpu.stepping);
  for (unsigned i = 0; i < (rules.has_leaf24 ? kLeaf24 + 1u : unsigned{kLeaf24}); ++i) {
    lines.leaf(i, "cpuid", cpu.features[i].cpuid);
    lines.leaf(i, "active", cpu.features[i].active);
  }
  for (const Named& each : kPreferences)
    if (release_knows(each.preference, rules, layout))
      out << "x86.cpu_features.preferred." << each.name << '='
          << Hex{std::uint64_t{cpu.prefers(each.preference)}} << '\n';
  const Layout::CpuFeatures& at = layout.cpu_features;
  lines.line("isa_1", at.isa_1, cpu.isa_1);
  lines.line("xsave_state_size", at.xsave_state_size, cpu.xsave_state_size);
  lines.line("xsave_state_full_size", at.xsave_state_full_size, cpu.xsave_state_full_size);
  const Thresholds& t = cpu.thresholds;
  lines.line("data_cache_size", at.data_cache_size, t.data_cache_size);
  lines.line("shared_cache_size", at.shared_cache_size, t.shared_cache_size);
  lines.line("non_temporal_threshold", at.non_temporal_threshold, t.non_temporal);
  lines.line("memset_non_temporal_threshold", at.memset_non_temporal_threshold,
             t.memset_non_temporal);
  lines.line("rep_movsb_threshold", at.rep_movsb_threshold, t.rep_movsb);
  lines.line("rep_movsb_stop_threshold", at.rep_movsb_stop_threshold, t.rep_movsb_stop);
  lines.line("rep_stosb_threshold", at.rep_stosb_threshold, t.rep_stosb);
  const Caches& c = cpu.caches;
  lines.line("level1_icache_size", at.level1_icache_size, c.level1_icache_size);
  lines.line("level1_icache_linesize", at.level1_icache_linesize, c.level1_icache_linesize);
  lines.line("level1_dcache_size", at.level1_dcache_size, c.level1_dcache_size);
  lines.line("level1_dcache_assoc", at.level1_dcache_assoc, c.level1_dcache_assoc);
  lines.line("level1_dcache_linesize", at.level1_dcache_linesize, c.level1_dcache_linesize);
  lines.line("level2_cache_size", at.level2_cache_size, c.level2_cache_size);
  lines.line("level2_cache_assoc", at.level2_cache_assoc, c.level2_cache_assoc);
  lines.line("level2_cache_linesize", at.level2_cache_linesize, c.level2_cache_linesize);
  lines.line("level3_cache_size", at.level3_cache_size, c.level3_cache_size);
  lines.line("level3_cache_assoc", at.level3_cache_assoc, c.level3_cache_assoc);
  lines.line("level3_cache_linesize", at.level3_cache_linesize, c.level3_cache_linesize);
  lines.line("level4_cache_size", at.level4_cache_size, c.level4_cache_size);
  lines.line("cachesize_non_temporal_divisor", at.cachesize_non_temporal_divisor,
             cpu.non_temporal_divisor);
}

}  // namespace myld::glibc::x86
