// Which instructions a program may use: what CPUID names, less what the system has not enabled.
//
// An instruction whose state the kernel does not save faults (or worse, loses data), so whatever
// needs vector state is usable only by XCR0. Source: glibc sysdeps/x86/cpu-features.c
// (update_active), get-isa-level.h; Intel SDM vol. 1 chapter 13 (XSAVE).

#include "rtld/glibc/x86_64/cpu.hpp"

namespace myld::glibc::x86 {
namespace {

/// Usable as soon as the processor has them.
constexpr Feature kPlain[] = {SSE3,      PCLMULQDQ,  SSSE3,         CMPXCHG16B,
                              SSE4_1,    SSE4_2,     MOVBE,         POPCNT,
                              AES,       OSXSAVE,    RDRAND,        TSC,
                              CX8,       CMOV,       CLFSH,         MMX,
                              FXSR,      SSE,        SSE2,          HTT,
                              BMI1,      HLE,        BMI2,          ERMS,
                              RDSEED,    ADX,        CLWB,          SHA,
                              OSPKE,     GFNI,       RDPID,         FSRM,
                              WAITPKG,   CLDEMOTE,   MOVDIRI,       MOVDIR64B,
                              SERIALIZE, LZCNT,      LAHF64_SAHF64, SSE4A,
                              TSXLDTRK,  PREFETCHW,  TBM,           RDTSCP,
                              WBNOINVD,  FZLRM,      FSRS,          FSRCS,
                              PTWRITE,   CLFLUSHOPT, PREFETCHWT1,   RTM_ALWAYS_ABORT};
constexpr Feature kPlain238[] = {RAO_INT, CMPCCXADD, PREFETCHI};

/// These need AVX to be usable.
constexpr Feature kWithAvx[] = {AVX2, AVX_VNNI, FMA, VAES, VPCLMULQDQ, XOP, F16C};
constexpr Feature kWithAvx238[] = {AVX_IFMA, AVX_NE_CONVERT, AVX_VNNI_INT8};

/// These need AVX512F to be usable.
constexpr Feature kWithAvx512[] = {
    AVX512CD,    AVX512ER,      AVX512PF,      AVX512VL,         AVX512DQ,
    AVX512BW,    AVX512_4FMAPS, AVX512_4VNNIW, AVX512_BITALG,    AVX512_IFMA,
    AVX512_VBMI, AVX512_VBMI2,  AVX512_VNNI,   AVX512_VPOPCNTDQ, AVX512_VP2INTERSECT,
    AVX512_BF16, AVX512_FP16};

constexpr Feature kWithAmx[] = {AMX_BF16, AMX_TILE, AMX_INT8};
constexpr Feature kWithAmx238[] = {AMX_FP16, AMX_COMPLEX};

// Components of XCR0.
constexpr std::uint64_t kXmmYmm = 1 << 1 | 1 << 2;
constexpr std::uint64_t kOpmaskZmm = 1 << 5 | 1 << 6 | 1 << 7;
constexpr std::uint64_t kTile = 1 << 17 | 1 << 18;
constexpr std::uint64_t kApx = 1 << 19;

template <std::size_t N>
void use_if_present(Cpu& cpu, const Feature (&features)[N]) {
  for (Feature feature : features) cpu.use_if_present(feature);
}

template <std::size_t N>
bool all_usable(const Cpu& cpu, const Feature (&features)[N]) {
  for (Feature feature : features) {
    if (!cpu.usable(feature)) return false;
  }
  return true;
}

void keep(Cpu& cpu, LeafIndex index, const CpuidRegs& regs) {
  std::uint32_t* to = cpu.features[index].cpuid;
  to[kEax] = regs.eax;
  to[kEbx] = regs.ebx;
  to[kEcx] = regs.ecx;
  to[kEdx] = regs.edx;
}

constexpr std::uint32_t round_up_64(std::uint32_t bytes) { return (bytes + 63) & ~63u; }

/// Size of the compacted area (XSAVEC) of the components in `wanted` that the processor has. The
/// sizes are architectural, so that a leaf for each (microseconds under a hypervisor) can be saved.
std::uint32_t compacted_size(std::uint32_t supported, std::uint32_t wanted) {
  struct Component {
    std::uint8_t bit;
    bool aligned;
    std::uint16_t size;
  };
  constexpr Component kComponents[] = {
      {2, false, 256},   // AVX
      {3, false, 64},    // BNDREGS
      {5, false, 64},    // opmask
      {6, false, 512},   // ZMM_Hi256
      {7, false, 1024},  // Hi16_ZMM
      {17, true, 64},    // TILECFG
      {18, true, 8192},  // TILEDATA
      {19, false, 128},  // APX
  };
  std::uint32_t size = 512 + 64;  // x87 and SSE, header
  for (const Component& component : kComponents) {
    if ((supported & wanted) >> component.bit & 1) {
      if (component.aligned) size = round_up_64(size);
      size += component.size;
    }
  }
  return size;
}

void find_usable_vectors(Cpu& cpu, const Rules& rules, std::uint64_t xcr0) {
  if ((xcr0 & kXmmYmm) != kXmmYmm) return;
  if (cpu.has(AVX)) {
    cpu.set_usable(AVX);
    use_if_present(cpu, kWithAvx);
    if (cpu.has(AVX2)) cpu.prefer(AVX_Fast_Unaligned_Load);
    if (rules.has_newer_features) use_if_present(cpu, kWithAvx238);
  }
  if ((xcr0 & kOpmaskZmm) == kOpmaskZmm && cpu.has(AVX512F)) {
    cpu.set_usable(AVX512F);
    use_if_present(cpu, kWithAvx512);
  }
}

void find_usable_avx10(Cpu& cpu, Cpuid& cpuid, std::uint64_t xcr0) {
  cpu.use_if_present(AVX10);
  if (!cpu.has(AVX10) || cpu.max_leaf < 0x24) return;
  keep(cpu, kLeaf24, cpuid.leaf(0x24));
  cpu.use_if_present(AVX10_XMM);
  if ((xcr0 & kXmmYmm) != kXmmYmm) return;
  if (cpu.has(AVX)) cpu.use_if_present(AVX10_YMM);
  if ((xcr0 & kOpmaskZmm) == kOpmaskZmm) cpu.use_if_present(AVX10_ZMM);
}

constexpr Feature kLevel1[] = {CMOV, CX8, FXSR, MMX, SSE, SSE2};
constexpr Feature kLevel2[] = {CMPXCHG16B, LAHF64_SAHF64, POPCNT, SSE3, SSSE3, SSE4_1, SSE4_2};
constexpr Feature kLevel3[] = {AVX, AVX2, BMI1, BMI2, F16C, FMA, LZCNT, MOVBE};
constexpr Feature kLevel4[] = {AVX512F, AVX512BW, AVX512CD, AVX512DQ, AVX512VL};

}  // namespace

void read_leaves(Cpu& cpu, Cpuid& cpuid, const Rules& rules, std::uint32_t* extended_model) {
  *extended_model = 0;
  CpuidRegs vendor = cpuid.leaf(0);
  cpu.max_leaf = vendor.eax;
  auto is = [&](const char(&name)[13]) {
    std::uint32_t words[3];
    __builtin_memcpy(words, name, sizeof words);
    return vendor.ebx == words[0] && vendor.edx == words[1] && vendor.ecx == words[2];
  };
  if (is("GenuineIntel"))
    cpu.kind = Kind::intel;
  else if (is("AuthenticAMD"))
    cpu.kind = Kind::amd;
  else if (is("CentaurHauls") || is("  Shanghai  "))
    cpu.kind = Kind::zhaoxin;
  else if (is("HygonGenuine"))
    cpu.kind = rules.hygon_is_kind ? Kind::hygon : Kind::amd;
  else
    cpu.kind = Kind::other;

  // Of a vendor it does not know glibc reads no leaf 1 and no extended leaves: such a processor has
  // nothing beyond the baseline, not even the features all x86-64 processors have.
  if (cpu.kind != Kind::other) {
    CpuidRegs leaf1 = cpuid.leaf(1);
    keep(cpu, kLeaf1, leaf1);
    cpu.family = leaf1.eax >> 8 & 0xf;
    cpu.model = leaf1.eax >> 4 & 0xf;
    cpu.stepping = leaf1.eax & 0xf;
    *extended_model = leaf1.eax >> 12 & 0xf0;
    if (cpu.family == 0xf) {
      cpu.family += leaf1.eax >> 20 & 0xff;
      cpu.model += *extended_model;
    }
    std::uint32_t max_extended = cpuid.leaf(0x80000000).eax;
    if (max_extended >= 0x80000001) keep(cpu, kLeaf80000001, cpuid.leaf(0x80000001));
    if (max_extended >= 0x80000007) keep(cpu, kLeaf80000007, cpuid.leaf(0x80000007));
    if (max_extended >= 0x80000008) keep(cpu, kLeaf80000008, cpuid.leaf(0x80000008));
  }
  if (cpu.max_leaf >= 7) {
    keep(cpu, kLeaf7, cpuid.leaf(7));
    if (cpu.features[kLeaf7].cpuid[kEax] >= 1)  // else there is no such subleaf, and it reads as 0
      keep(cpu, kLeaf7_1, cpuid.leaf(7, 1));
  }
  if (cpu.max_leaf >= 0xd) keep(cpu, kLeafD1, cpuid.leaf(0xd, 1));
  // Without the feature that a leaf describes, the leaf reads as 0.
  if (cpu.max_leaf >= 0x14 && cpu.has(TRACE)) keep(cpu, kLeaf14, cpuid.leaf(0x14));
  if (cpu.max_leaf >= 0x19 && cpu.has(KL)) keep(cpu, kLeaf19, cpuid.leaf(0x19));
}

void find_usable(Cpu& cpu, Cpuid& cpuid, const Rules& rules, std::uint64_t hwcap2) {
  use_if_present(cpu, kPlain);
  if (rules.has_newer_features) use_if_present(cpu, kPlain238);
  if (!cpu.has(RTM_ALWAYS_ABORT)) cpu.use_if_present(RTM);

  if (cpu.has(OSXSAVE)) {
    std::uint64_t xcr0 = cpuid.xcr0();
    find_usable_vectors(cpu, rules, xcr0);
    if ((xcr0 & kTile) == kTile) {
      use_if_present(cpu, kWithAmx);
      if (rules.has_newer_features) use_if_present(cpu, kWithAmx238);
    }
    if (rules.has_newer_features && (xcr0 & kApx) != 0) cpu.use_if_present(APX_F);
    if (rules.has_leaf24) find_usable_avx10(cpu, cpuid, xcr0);
    cpu.set_usable(XSAVE);
    for (Feature feature : {XSAVEOPT, XSAVEC, XGETBV_ECX_1, XFD}) cpu.use_if_present(feature);
  }

  if (cpu.has(OSPKE)) cpu.set_usable(PKU);
  if (cpu.has(AESKLE)) {
    for (Feature feature : {AESKLE, KL, WIDE_KL}) cpu.use_if_present(feature);
  }
  // The kernel says in AT_HWCAP2 that it has enabled them.
  if (rules.has_newer_features && (hwcap2 & 2) != 0) cpu.use_if_present(FSGSBASE);

  // GNU_PROPERTY_X86_ISA_1_BASELINE, _V2, _V3, _V4 are bits 0 to 3.
  int level = cpu.has(FPU) ? isa_level(cpu) : 0;
  cpu.isa_1 = (1u << level) - 1;
}

void find_xsave_sizes(Cpu& cpu, Cpuid& cpuid, const Rules& rules) {
  if (cpu.max_leaf < 0xd) return;
  CpuidRegs area = cpuid.leaf(0xd, 0);
  cpu.xsave_area_bytes = area.ebx;
  if (area.ebx == 0) return;
  // Seven integer registers and a pad in front of the area, three more for TLS descriptors.
  std::uint32_t in_front = rules.tlsdesc_save_area ? 8 * 8 + 24 : 8 * 8;
  cpu.xsave_state_full_size = round_up_64(area.ebx + in_front);
  cpu.xsave_state_size = cpu.xsave_state_full_size;
  if (!cpu.has(XSAVEC)) return;
  std::uint32_t binder = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7;
  if (rules.tlsdesc_save_area) {
    binder |= kApx;
    if (!rules.full_size_is_standard)
      cpu.xsave_state_full_size = round_up_64(compacted_size(area.eax, binder | kTile) + in_front);
  }
  cpu.xsave_state_size = round_up_64(compacted_size(area.eax, binder) + in_front);
  cpu.set_usable(XSAVEC);
}

int isa_level(const Cpu& cpu) {
  if (!all_usable(cpu, kLevel1)) return 0;
  if (!all_usable(cpu, kLevel2)) return 1;
  if (!all_usable(cpu, kLevel3)) return 2;
  return all_usable(cpu, kLevel4) ? 4 : 3;
}

void drop_what_needs_xsave(Cpu& cpu) {
  if (!cpu.usable(OSXSAVE)) {
    for (Feature feature : {XSAVE, XSAVEOPT, XSAVEC, XGETBV_ECX_1, XFD}) cpu.set_unusable(feature);
  }
  if (cpu.usable(XSAVE) || cpu.usable(XSAVEC)) return;
  cpu.xsave_state_size = 0;
  cpu.set_unusable(AVX);
  cpu.set_unusable(AVX512F);
  cpu.set_unusable(FMA4);
  // What came with 2.38 stays set in glibc; no resolver looks at it.
  for (Feature feature : kWithAvx) cpu.set_unusable(feature);
  for (Feature feature : kWithAvx512) cpu.set_unusable(feature);
  for (Feature feature : kWithAmx) cpu.set_unusable(feature);
}

}  // namespace myld::glibc::x86
