// glibc.cpu.hwcaps=-AVX2,Prefer_ERMS,...: taking features away, and turning preferences on and off.
//
// Names are case-sensitive; one that is not known is passed over. No feature can be turned on, a
// preference only if the instructions it leads to are usable. Source: glibc
// sysdeps/x86/cpu-tunables.c of 2.36, 2.41 and 2.43.

#include "rtld/glibc/x86_64/cpu.hpp"

namespace myld::glibc::x86 {
namespace {

// Names are arrays, not pointers: tables of pointers would have to be relocated at every start.

struct NamedFeature {
  char name[9];
  Feature feature;
};

constexpr NamedFeature kFeatures[] = {
    {"AVX", AVX},           {"CX8", CX8},           {"FMA", FMA},           {"HTT", HTT},
    {"IBT", IBT},           {"RTM", RTM},           {"AVX2", AVX2},         {"BMI1", BMI1},
    {"BMI2", BMI2},         {"CMOV", CMOV},         {"ERMS", ERMS},         {"FMA4", FMA4},
    {"SSE2", SSE2},         {"LZCNT", LZCNT},       {"MOVBE", MOVBE},       {"SHSTK", SHSTK},
    {"SSSE3", SSSE3},       {"XSAVE", XSAVE},       {"POPCNT", POPCNT},     {"SSE4_1", SSE4_1},
    {"SSE4_2", SSE4_2},     {"XSAVEC", XSAVEC},     {"AVX512F", AVX512F},   {"OSXSAVE", OSXSAVE},
    {"AVX512CD", AVX512CD}, {"AVX512BW", AVX512BW}, {"AVX512DQ", AVX512DQ}, {"AVX512ER", AVX512ER},
    {"AVX512PF", AVX512PF}, {"AVX512VL", AVX512VL},
};

/// Of what has no condition.
constexpr auto kNothing = static_cast<Feature>(0xffff);

struct NamedPreference {
  char name[27];
  Preference preference;
  Feature needs;
  bool only_off;
};

constexpr NamedPreference kPreferences[] = {
    {"I586", I586, kNothing, true},
    {"I686", I686, kNothing, true},
    {"Slow_BSF", Slow_BSF, kNothing, false},
    {"Prefer_ERMS", Prefer_ERMS, kNothing, false},
    {"Prefer_FSRM", Prefer_FSRM, kNothing, false},
    {"Slow_SSE4_2", Slow_SSE4_2, SSE4_2, false},
    {"Fast_Rep_String", Fast_Rep_String, kNothing, false},
    {"Prefer_No_AVX512", Prefer_No_AVX512, AVX512F, false},
    {"Fast_Copy_Backward", Fast_Copy_Backward, kNothing, false},
    {"Fast_Unaligned_Load", Fast_Unaligned_Load, kNothing, false},
    {"Fast_Unaligned_Copy", Fast_Unaligned_Copy, kNothing, false},
    {"Prefer_No_VZEROUPPER", Prefer_No_VZEROUPPER, AVX, false},
    {"AVX_Fast_Unaligned_Load", AVX_Fast_Unaligned_Load, AVX, false},
    {"MathVec_Prefer_No_AVX512", MathVec_Prefer_No_AVX512, AVX512F, false},
    {"Prefer_PMINUB_for_stringop", Prefer_PMINUB_for_stringop, SSE2, false},
    {"Avoid_STOSB", Avoid_STOSB, kNothing, false},
    {"Avoid_Non_Temporal_Memset", Avoid_Non_Temporal_Memset, kNothing, false},
    {"Prefer_AVX2_STRCMP", Prefer_AVX2_STRCMP, AVX2, false},
};

bool equal(const char* name, std::string_view item) {
  for (char c : item) {
    if (*name++ != c)  // also where `name` ends
      return false;
  }
  return *name == '\0';
}

bool release_knows(const Rules& rules, Preference preference) {
  switch (preference) {
  case Avoid_Non_Temporal_Memset: return rules.memset != Memset::no_threshold;
  case Avoid_STOSB: return rules.memset == Memset::preferences;
  case Prefer_AVX2_STRCMP: return rules.prefers_avx2_strcmp;
  default: return true;
  }
}

void apply_feature(Cpu& cpu, const Rules& rules, Feature feature, bool off) {
  if (off) {
    if (feature == XSAVEC)  // then XSAVE saves, which takes more room
      cpu.xsave_state_size = cpu.xsave_state_full_size;
    cpu.set_unusable(feature);
  } else if (feature == SHSTK && rules.shstk_can_be_set) {
    cpu.use_if_present(SHSTK);
  }
}

void apply_preference(Cpu& cpu, const NamedPreference& entry, bool off) {
  if (off)
    cpu.dont_prefer(entry.preference);
  else if (!entry.only_off && (entry.needs == kNothing || cpu.usable(entry.needs)))
    cpu.prefer(entry.preference);
}

void apply_item(Cpu& cpu, const Rules& rules, std::string_view item) {
  bool off = !item.empty() && item.front() == '-';
  if (off) item.remove_prefix(1);
  for (const NamedFeature& entry : kFeatures) {
    if (equal(entry.name, item)) return apply_feature(cpu, rules, entry.feature, off);
  }
  for (const NamedPreference& entry : kPreferences) {
    if (equal(entry.name, item) && release_knows(rules, entry.preference))
      return apply_preference(cpu, entry, off);
  }
}

}  // namespace

void apply_hwcaps(Cpu& cpu, const Rules& rules, const Tunables& tunables) {
  std::string_view list = tunables.string(TunableKey::cpu_hwcaps);
  std::size_t start = 0;
  for (std::size_t end = 0; end <= list.size(); ++end) {
    if (end == list.size() || list[end] == ',') {
      apply_item(cpu, rules, {list.data() + start, end - start});
      start = end + 1;
    }
  }
  if (tunables.number(TunableKey::cpu_prefer_map_32bit_exec, 0) != 0)
    cpu.prefer(Prefer_MAP_32BIT_EXEC);
}

}  // namespace myld::glibc::x86
