// What a vendor's models are good and bad at: glibc's preferences, by family and model.
//
// These are measurements of glibc's developers, written down as model numbers; a loader that fills
// the block for their resolvers has to agree with them. Source: glibc sysdeps/x86/cpu-features.c
// (init_cpu_features, intel_get_fam6_microarch) of 2.36, 2.41 and 2.43, and of the 2.38 cycle.

#include "rtld/glibc/x86_64/cpu.hpp"

namespace myld::glibc::x86 {
namespace {

/// Intel models that are treated alike.
enum class Core : std::uint8_t {
  unlisted,
  bonnell,     ///< in-order Atom
  silvermont,  ///< to Goldmont Plus, and Knights Landing: unaligned loads beat SSSE3
  tremont,
  nehalem,       ///< and Westmere: no AVX, yet treated as modern
  sandy_bridge,  ///< to Broadwell
  skylake_client,
  skylake_server,  ///< and Cannon Lake
  modern,
};

struct IntelModel {
  std::uint8_t model;
  Core core;
};

constexpr IntelModel kFamily6[] = {
    {0x1c, Core::bonnell},        {0x26, Core::bonnell},        {0x27, Core::bonnell},
    {0x35, Core::bonnell},        {0x36, Core::bonnell},        {0x37, Core::silvermont},
    {0x4a, Core::silvermont},     {0x4d, Core::silvermont},     {0x5d, Core::silvermont},
    {0x4c, Core::silvermont},     {0x5a, Core::silvermont},     {0x75, Core::silvermont},
    {0x5c, Core::silvermont},     {0x5f, Core::silvermont},     {0x7a, Core::silvermont},
    {0x57, Core::silvermont},     {0x86, Core::tremont},        {0x96, Core::tremont},
    {0x9c, Core::tremont},        {0x1a, Core::nehalem},        {0x1e, Core::nehalem},
    {0x1f, Core::nehalem},        {0x2e, Core::nehalem},        {0x25, Core::nehalem},
    {0x2c, Core::nehalem},        {0x2f, Core::nehalem},        {0x2a, Core::sandy_bridge},
    {0x2d, Core::sandy_bridge},   {0x3a, Core::sandy_bridge},   {0x3e, Core::sandy_bridge},
    {0x3c, Core::sandy_bridge},   {0x3f, Core::sandy_bridge},   {0x45, Core::sandy_bridge},
    {0x46, Core::sandy_bridge},   {0x3d, Core::sandy_bridge},   {0x47, Core::sandy_bridge},
    {0x4f, Core::sandy_bridge},   {0x56, Core::sandy_bridge},   {0x4e, Core::skylake_client},
    {0x5e, Core::skylake_client}, {0x8e, Core::skylake_client}, {0x9e, Core::skylake_client},
    {0x55, Core::skylake_server}, {0x66, Core::skylake_server}, {0xa5, Core::modern},
    {0xa6, Core::modern},                                // Comet Lake
    {0x6a, Core::modern},         {0x6c, Core::modern},  // Ice Lake
    {0x7d, Core::modern},         {0x7e, Core::modern},         {0x9d, Core::modern},
    {0x8c, Core::modern},                                // Tiger Lake
    {0x8d, Core::modern},         {0xa7, Core::modern},  // Rocket Lake
    {0x8f, Core::modern},         {0xcf, Core::modern},  // Sapphire, Emerald Rapids
    {0xb7, Core::modern},         {0xba, Core::modern},  // Raptor Lake
    {0xbf, Core::modern},         {0xaa, Core::modern},  // Meteor Lake
    {0xac, Core::modern},         {0xbd, Core::modern},  // Lunar Lake
    {0xc6, Core::modern},         {0xad, Core::modern},  // Arrow Lake, Granite Rapids
    {0xae, Core::modern},         {0x8a, Core::modern},  // Lakefield
    {0x97, Core::modern},         {0x9a, Core::modern},  // Alder Lake
    {0xbe, Core::modern},
};

/// More of Arrow Lake, Panther Lake; Wildcat Lake is 0xd5.
constexpr std::uint8_t kFamily6Newer[] = {0xb5, 0xc5, 0xcc};

Core intel_core(const Cpu& cpu, const Rules& rules) {
  if (cpu.family == 6) {
    for (const IntelModel& entry : kFamily6) {
      if (entry.model != cpu.model) continue;
      // Before 2.38 only the first two models of this core were listed.
      bool listed = entry.core != Core::bonnell || rules.groups_intel_models || cpu.model == 0x1c ||
                    cpu.model == 0x26;
      return listed ? entry.core : Core::unlisted;
    }
    if (rules.tunes_all_intel) {
      for (std::uint8_t model : kFamily6Newer) {
        if (model == cpu.model) return Core::modern;
      }
    }
    if (rules.knows_nova_lake && cpu.model == 0xd5) return Core::modern;
  }
  if (rules.tunes_all_intel) {
    bool nova_lake =
        rules.knows_nova_lake && cpu.family == 18 && (cpu.model == 1 || cpu.model == 3);
    bool diamond_rapids = cpu.family == 19 && cpu.model == 1;
    if (nova_lake || diamond_rapids) return Core::modern;
  }
  return Core::unlisted;
}

void prefer_unaligned(Cpu& cpu) {
  cpu.prefer(Fast_Unaligned_Load);
  cpu.prefer(Fast_Unaligned_Copy);
  cpu.prefer(Prefer_PMINUB_for_stringop);
}

void prefer_by_core(Cpu& cpu, const Rules& rules, Core core) {
  switch (core) {
  case Core::bonnell: cpu.prefer(Slow_BSF); return;
  case Core::silvermont:
    prefer_unaligned(cpu);
    cpu.prefer(Slow_SSE4_2);
    return;
  case Core::tremont:
    prefer_unaligned(cpu);
    cpu.prefer(Fast_Rep_String);
    cpu.prefer(Slow_SSE4_2);
    return;
  case Core::nehalem:
    cpu.non_temporal_divisor = 8;
    prefer_unaligned(cpu);
    cpu.prefer(Fast_Rep_String);
    return;
  case Core::sandy_bridge: cpu.non_temporal_divisor = 8; break;
  case Core::skylake_server:
    if (rules.memset != Memset::no_threshold) cpu.prefer(Avoid_Non_Temporal_Memset);
    [[fallthrough]];
  case Core::skylake_client:
  case Core::modern: cpu.non_temporal_divisor = 2; break;
  case Core::unlisted:
    if (cpu.family != 6 && !rules.tunes_all_intel) return;
    break;
  }
  if (cpu.has(AVX)) {
    prefer_unaligned(cpu);
    cpu.prefer(Fast_Rep_String);
  }
}

/// Transactional memory that errata have taken away, in case an old kernel or microcode did not.
void disable_broken_tsx(Cpu& cpu, const Rules& rules) {
  bool all = false;
  bool rtm_only = false;
  switch (cpu.model) {
  case 0x55: all = cpu.stepping <= 5; break;
  case 0x8e:
  case 0x9e: all = cpu.stepping <= 0xc; break;
  case 0x4e:
  case 0x5e: all = true; break;
  case 0x3f: rtm_only = cpu.stepping < 4; break;
  case 0x3c:
  case 0x45:
  case 0x46: rtm_only = true; break;
  default: break;
  }
  all = all && rules.disables_skylake_tsx;
  if (all) {
    cpu.set_unusable(HLE);
    cpu.set_usable(RTM_ALWAYS_ABORT);
  }
  if (all || rtm_only) cpu.set_unusable(RTM);
}

void apply_intel(Cpu& cpu, const Rules& rules, std::uint32_t extended_model) {
  if (cpu.family == 6) cpu.model += extended_model;
  prefer_by_core(cpu, rules, intel_core(cpu, rules));
  if (cpu.family == 6) disable_broken_tsx(cpu, rules);
  if (cpu.has(AVX512ER)) {
    cpu.prefer(Prefer_No_VZEROUPPER);  // Xeon Phi
  } else {
    // AVX-512 lowers the clock on the generations that have no AVX-VNNI.
    if (!rules.avx_vnni_allows_avx512 || !cpu.has(AVX_VNNI)) cpu.prefer(Prefer_No_AVX512);
    // VZEROUPPER aborts a transaction.
    if (cpu.usable(RTM)) cpu.prefer(Prefer_No_VZEROUPPER);
    if (rules.prefers_avx2_strcmp && cpu.usable(AVX2)) cpu.prefer(Prefer_AVX2_STRCMP);
  }
  if (cpu.has(FSRM)) cpu.prefer(Avoid_Short_Distance_REP_MOVSB);
}

void apply_amd(Cpu& cpu) {
  if (cpu.usable(AVX)) cpu.use_if_present(FMA4);
  bool excavator = cpu.family == 0x15 && cpu.model >= 0x60 && cpu.model <= 0x7f;
  if (excavator) {
    cpu.prefer(Fast_Unaligned_Load);
    cpu.prefer(Fast_Copy_Backward);
    cpu.dont_prefer(AVX_Fast_Unaligned_Load);
  }
}

void apply_zhaoxin(Cpu& cpu, const Rules& rules, std::uint32_t extended_model) {
  cpu.model += extended_model;
  cpu.stepping = 0;  // glibc does not keep it
  bool zhangjiang = cpu.family == 6 && (cpu.model == 0xf || cpu.model == 0x19);
  bool wudaokou = cpu.family == 7 && cpu.model == 0x1b;
  bool lujiazui = cpu.family == 7 && cpu.model == 0x3b;
  if (zhangjiang || wudaokou || lujiazui) {
    cpu.set_unusable(AVX);
    cpu.set_unusable(AVX2);
    cpu.dont_prefer(AVX_Fast_Unaligned_Load);
    if (!lujiazui) cpu.prefer(Slow_SSE4_2);
  }
  bool yongfeng = cpu.family == 7 && cpu.model == 0x5b;
  bool shijidadao = cpu.family == 7 && cpu.model == 0x6b;
  if (rules.tunes_yongfeng && (yongfeng || shijidadao)) {
    if (yongfeng) cpu.non_temporal_divisor = 2;
    cpu.dont_prefer(AVX_Fast_Unaligned_Load);
    cpu.prefer(Prefer_No_VZEROUPPER);
    cpu.prefer(Fast_Unaligned_Load);
  }
}

/// `model` as CPUID gives it, without the extended part: that is what glibc compares.
void apply_hygon(Cpu& cpu, const Rules& rules) {
  if (!rules.tunes_hygon) return;
  if (cpu.model < 4)
    cpu.dont_prefer(AVX_Fast_Unaligned_Load);
  else if (cpu.model == 7)
    cpu.prefer(Prefer_No_AVX512);
}

}  // namespace

void apply_model(Cpu& cpu, const Rules& rules, std::uint32_t extended_model) {
  // Non-temporal memset is used only where it was measured.
  bool measured = cpu.kind == Kind::intel || cpu.kind == Kind::amd || cpu.kind == Kind::hygon;
  if (rules.memset == Memset::preferences && !measured) cpu.prefer(Avoid_Non_Temporal_Memset);

  switch (cpu.kind) {
  case Kind::intel: apply_intel(cpu, rules, extended_model); break;
  case Kind::amd: apply_amd(cpu); break;
  case Kind::zhaoxin: apply_zhaoxin(cpu, rules, extended_model); break;
  case Kind::hygon: apply_hygon(cpu, rules); break;
  case Kind::unknown:
  case Kind::other: break;
  }

  if (cpu.has(CX8)) cpu.prefer(I586);
  if (cpu.has(CMOV)) cpu.prefer(I686);
  if (rules.memset == Memset::preferences && !cpu.usable(ERMS)) cpu.prefer(Avoid_STOSB);
}

}  // namespace myld::glibc::x86
