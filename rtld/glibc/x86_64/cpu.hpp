// An x86 processor as glibc sees it, in a form of its own that no release's layout shapes.
//
// The work is split by what decides a value:
//   cpu_usable.cpp    leaves -> which instructions may be used (CPUID, XCR0), size of XSAVE areas
//   cpu_model.cpp     vendor, family, model -> which of the usable ones to prefer or avoid
//   cpu_caches.cpp    caches -> thresholds of memcpy and memset
//   cpu_tunables.cpp  what the user says with glibc.cpu.hwcaps
//   cpu_features.cpp  all of it in order, and the store into libc's block
//
// Bit positions: Intel SDM vol. 2 (CPUID), AMD APM vol. 3 appendix E. Names: glibc's
// bits/platform/x86.h and cpu-features-preferred_feature_index_1.def.

#pragma once

#include "loader/sys/text.hpp"
#include "rtld/glibc/layout.hpp"
#include "rtld/glibc/tunables.hpp"
#include "rtld/glibc/x86_64/cpuid.hpp"

#include <cstddef>
#include <cstdint>

namespace myld::glibc::x86 {

/// Leaves in the order of glibc's `features[]`.
enum LeafIndex : std::uint8_t {
  kLeaf1,
  kLeaf7,
  kLeaf80000001,
  kLeafD1,  ///< leaf 0xd, subleaf 1
  kLeaf80000007,
  kLeaf80000008,
  kLeaf7_1,  ///< leaf 7, subleaf 1
  kLeaf19,
  kLeaf14,
  kLeaf24,  ///< 2.39 and later
  kLeafCount,
};

enum Register : std::uint8_t { kEax, kEbx, kEcx, kEdx };

constexpr std::uint16_t at(LeafIndex leaf, Register reg, unsigned bit) {
  return static_cast<std::uint16_t>(leaf * 128 + reg * 32 + bit);
}

/// A bit of a leaf, spelled as the manuals do.
enum Feature : std::uint16_t {
  SSE3 = at(kLeaf1, kEcx, 0),
  PCLMULQDQ = at(kLeaf1, kEcx, 1),
  SSSE3 = at(kLeaf1, kEcx, 9),
  FMA = at(kLeaf1, kEcx, 12),
  CMPXCHG16B = at(kLeaf1, kEcx, 13),
  SSE4_1 = at(kLeaf1, kEcx, 19),
  SSE4_2 = at(kLeaf1, kEcx, 20),
  MOVBE = at(kLeaf1, kEcx, 22),
  POPCNT = at(kLeaf1, kEcx, 23),
  AES = at(kLeaf1, kEcx, 25),
  XSAVE = at(kLeaf1, kEcx, 26),
  OSXSAVE = at(kLeaf1, kEcx, 27),
  AVX = at(kLeaf1, kEcx, 28),
  F16C = at(kLeaf1, kEcx, 29),
  RDRAND = at(kLeaf1, kEcx, 30),
  FPU = at(kLeaf1, kEdx, 0),
  TSC = at(kLeaf1, kEdx, 4),
  CX8 = at(kLeaf1, kEdx, 8),
  CMOV = at(kLeaf1, kEdx, 15),
  CLFSH = at(kLeaf1, kEdx, 19),
  MMX = at(kLeaf1, kEdx, 23),
  FXSR = at(kLeaf1, kEdx, 24),
  SSE = at(kLeaf1, kEdx, 25),
  SSE2 = at(kLeaf1, kEdx, 26),
  HTT = at(kLeaf1, kEdx, 28),

  FSGSBASE = at(kLeaf7, kEbx, 0),
  BMI1 = at(kLeaf7, kEbx, 3),
  HLE = at(kLeaf7, kEbx, 4),
  AVX2 = at(kLeaf7, kEbx, 5),
  BMI2 = at(kLeaf7, kEbx, 8),
  ERMS = at(kLeaf7, kEbx, 9),
  RTM = at(kLeaf7, kEbx, 11),
  AVX512F = at(kLeaf7, kEbx, 16),
  AVX512DQ = at(kLeaf7, kEbx, 17),
  RDSEED = at(kLeaf7, kEbx, 18),
  ADX = at(kLeaf7, kEbx, 19),
  AVX512_IFMA = at(kLeaf7, kEbx, 21),
  CLFLUSHOPT = at(kLeaf7, kEbx, 23),
  CLWB = at(kLeaf7, kEbx, 24),
  TRACE = at(kLeaf7, kEbx, 25),
  AVX512PF = at(kLeaf7, kEbx, 26),
  AVX512ER = at(kLeaf7, kEbx, 27),
  AVX512CD = at(kLeaf7, kEbx, 28),
  SHA = at(kLeaf7, kEbx, 29),
  AVX512BW = at(kLeaf7, kEbx, 30),
  AVX512VL = at(kLeaf7, kEbx, 31),
  PREFETCHWT1 = at(kLeaf7, kEcx, 0),
  AVX512_VBMI = at(kLeaf7, kEcx, 1),
  PKU = at(kLeaf7, kEcx, 3),
  OSPKE = at(kLeaf7, kEcx, 4),
  WAITPKG = at(kLeaf7, kEcx, 5),
  AVX512_VBMI2 = at(kLeaf7, kEcx, 6),
  SHSTK = at(kLeaf7, kEcx, 7),
  GFNI = at(kLeaf7, kEcx, 8),
  VAES = at(kLeaf7, kEcx, 9),
  VPCLMULQDQ = at(kLeaf7, kEcx, 10),
  AVX512_VNNI = at(kLeaf7, kEcx, 11),
  AVX512_BITALG = at(kLeaf7, kEcx, 12),
  AVX512_VPOPCNTDQ = at(kLeaf7, kEcx, 14),
  RDPID = at(kLeaf7, kEcx, 22),
  KL = at(kLeaf7, kEcx, 23),
  CLDEMOTE = at(kLeaf7, kEcx, 25),
  MOVDIRI = at(kLeaf7, kEcx, 27),
  MOVDIR64B = at(kLeaf7, kEcx, 28),
  AVX512_4VNNIW = at(kLeaf7, kEdx, 2),
  AVX512_4FMAPS = at(kLeaf7, kEdx, 3),
  FSRM = at(kLeaf7, kEdx, 4),
  AVX512_VP2INTERSECT = at(kLeaf7, kEdx, 8),
  RTM_ALWAYS_ABORT = at(kLeaf7, kEdx, 11),
  SERIALIZE = at(kLeaf7, kEdx, 14),
  TSXLDTRK = at(kLeaf7, kEdx, 16),
  IBT = at(kLeaf7, kEdx, 20),
  AMX_BF16 = at(kLeaf7, kEdx, 22),
  AVX512_FP16 = at(kLeaf7, kEdx, 23),
  AMX_TILE = at(kLeaf7, kEdx, 24),
  AMX_INT8 = at(kLeaf7, kEdx, 25),

  LAHF64_SAHF64 = at(kLeaf80000001, kEcx, 0),
  LZCNT = at(kLeaf80000001, kEcx, 5),
  SSE4A = at(kLeaf80000001, kEcx, 6),
  PREFETCHW = at(kLeaf80000001, kEcx, 8),
  XOP = at(kLeaf80000001, kEcx, 11),
  FMA4 = at(kLeaf80000001, kEcx, 16),
  TBM = at(kLeaf80000001, kEcx, 21),
  RDTSCP = at(kLeaf80000001, kEdx, 27),

  XSAVEOPT = at(kLeafD1, kEax, 0),
  XSAVEC = at(kLeafD1, kEax, 1),
  XGETBV_ECX_1 = at(kLeafD1, kEax, 2),
  XFD = at(kLeafD1, kEax, 4),

  WBNOINVD = at(kLeaf80000008, kEbx, 9),

  RAO_INT = at(kLeaf7_1, kEax, 3),
  AVX_VNNI = at(kLeaf7_1, kEax, 4),
  AVX512_BF16 = at(kLeaf7_1, kEax, 5),
  CMPCCXADD = at(kLeaf7_1, kEax, 7),
  FZLRM = at(kLeaf7_1, kEax, 10),
  FSRS = at(kLeaf7_1, kEax, 11),
  FSRCS = at(kLeaf7_1, kEax, 12),
  AMX_FP16 = at(kLeaf7_1, kEax, 21),
  AVX_IFMA = at(kLeaf7_1, kEax, 23),
  AVX_VNNI_INT8 = at(kLeaf7_1, kEdx, 4),
  AVX_NE_CONVERT = at(kLeaf7_1, kEdx, 5),
  AMX_COMPLEX = at(kLeaf7_1, kEdx, 8),
  PREFETCHI = at(kLeaf7_1, kEdx, 14),
  AVX10 = at(kLeaf7_1, kEdx, 19),
  APX_F = at(kLeaf7_1, kEdx, 21),

  AESKLE = at(kLeaf19, kEbx, 0),
  WIDE_KL = at(kLeaf19, kEbx, 2),
  PTWRITE = at(kLeaf14, kEbx, 4),
  AVX10_XMM = at(kLeaf24, kEbx, 16),
  AVX10_YMM = at(kLeaf24, kEbx, 17),
  AVX10_ZMM = at(kLeaf24, kEbx, 18),
};

/// Bits of `preferred[0]`, numbered as in 2.41; store_preferred() renumbers them for other
/// releases.
enum Preference : std::uint8_t {
  Fast_Rep_String,
  Fast_Copy_Backward,
  Slow_BSF,
  Fast_Unaligned_Load,
  Prefer_PMINUB_for_stringop,
  Fast_Unaligned_Copy,
  I586,
  I686,
  Slow_SSE4_2,
  AVX_Fast_Unaligned_Load,
  Prefer_MAP_32BIT_EXEC,
  Prefer_No_VZEROUPPER,
  Prefer_ERMS,
  Prefer_No_AVX512,
  MathVec_Prefer_No_AVX512,
  Prefer_FSRM,
  Avoid_Short_Distance_REP_MOVSB,
  Avoid_Non_Temporal_Memset,
  Avoid_STOSB,
  Prefer_AVX2_STRCMP = 31,  ///< 2.34 alone
};

enum class Kind : std::uint8_t { unknown, intel, amd, zhaoxin, hygon, other };

/// How memset's use of streaming stores is decided.
enum class Memset : std::uint8_t {
  no_threshold,   ///< up to 2.39
  intel_and_amd,  ///< 2.40: those two alone, less what Avoid_Non_Temporal_Memset says
  preferences,    ///< 2.41: Avoid_Non_Temporal_Memset says it all, and Avoid_STOSB is known
};

/// What depends on the release beside offsets. A number is the release that began it, `+` that the
/// maintenance branches of older ones took it over. Releases are known to the commit (their
/// ChangeLogs), branches only as far as a distribution's sources were read (2.36, 2.41): a build
/// from some other point of a branch may get another threshold than from its own ld.so, but never
/// an instruction that it could not use.
struct Rules {
  std::uint8_t minor = 0;
  // Instructions.
  bool has_newer_features = false;  ///< 2.38: RAO_INT to APX_F, and FSGSBASE by AT_HWCAP2
  bool has_leaf24 = false;          ///< 2.39: AVX10
  bool shstk_can_be_set = false;    ///< 2.39: glibc.cpu.hwcaps=SHSTK
  // XSAVE areas.
  bool tlsdesc_save_area = false;      ///< 2.40+: they have room for TLS descriptors, and AMX
  bool full_size_is_standard = false;  ///< 2.41+: the full area is that of XSAVE again
  // Models.
  bool prefers_avx2_strcmp = false;     ///< 2.34 alone
  bool avx_vnni_allows_avx512 = false;  ///< 2.35+
  bool disables_skylake_tsx = false;    ///< 2.35
  bool groups_intel_models = false;     ///< 2.38: with a divisor for each group
  bool tunes_all_intel = false;         ///< 2.42+: other families than 6, Arrow Lake, Panther Lake
  bool knows_nova_lake = false;         ///< 2.43: and Wildcat Lake
  bool hygon_is_kind = false;           ///< 2.41: Hygon is a vendor of its own, before it was AMD
  bool tunes_hygon = false;             ///< 2.43
  bool tunes_yongfeng = false;          ///< 2.40: newer Zhaoxin, and no lower bound for them
  // Caches.
  bool leaf4_instead_of_2 = false;   ///< 2.39+: where leaf 2 says nothing
  bool amd_leaf_1d = false;          ///< 2.37: AMD caches by leaf 0x8000001d
  bool amd_legacy_fallback = false;  ///< 2.39+: or by older leaves where that is empty
  // Thresholds.
  bool doubled_rep_movsb = false;     ///< 2.35: 8192 bytes and not 4096 with 32-byte vectors
  bool late_rep_movsb_stop = false;   ///< 2.36: computed after the tunables
  bool share_is_threshold = false;    ///< up to 2.37, not +: all by one thread's share
  bool bounded_non_temporal = false;  ///< 2.37+
  bool unknown_cache_is_64m = false;  ///< 2.38
  bool amd_avoids_erms = false;       ///< 2.40+: Zen 3 and later are faster without REP MOVSB
  Memset memset = Memset::no_threshold;
};

Rules rules_for(const Layout& layout);
Rules newest_rules();

struct Caches {
  std::uint64_t level1_icache_size, level1_icache_linesize;
  std::uint64_t level1_dcache_size, level1_dcache_assoc, level1_dcache_linesize;
  std::uint64_t level2_cache_size, level2_cache_assoc, level2_cache_linesize;
  std::uint64_t level3_cache_size, level3_cache_assoc, level3_cache_linesize;
  std::uint64_t level4_cache_size;
};

struct Thresholds {
  std::uint64_t data_cache_size, shared_cache_size;
  std::uint64_t non_temporal, memset_non_temporal;
  std::uint64_t rep_movsb, rep_movsb_min, rep_movsb_stop, rep_stosb;
};

struct Cpu {
  Kind kind = Kind::unknown;
  std::uint32_t max_leaf = 0, family = 0, model = 0, stepping = 0;
  struct Leaf {
    std::uint32_t cpuid[4];   ///< what the processor has
    std::uint32_t active[4];  ///< what programs may use
  } features[kLeafCount]{};
  std::uint32_t preferred = 0;
  std::uint32_t isa_1 = 0;
  std::uint64_t xsave_state_size = 0;
  std::uint32_t xsave_state_full_size = 0;
  std::uint32_t xsave_area_bytes = 0;  ///< XSAVE, standard format, everything enabled in XCR0
  std::uint64_t non_temporal_divisor = 4;
  Caches caches{};
  Thresholds thresholds{};

  bool has(Feature f) const { return (features[f / 128].cpuid[f / 32 % 4] >> f % 32 & 1) != 0; }
  bool usable(Feature f) const { return (features[f / 128].active[f / 32 % 4] >> f % 32 & 1) != 0; }
  void set_usable(Feature f) { features[f / 128].active[f / 32 % 4] |= 1u << f % 32; }
  void set_unusable(Feature f) { features[f / 128].active[f / 32 % 4] &= ~(1u << f % 32); }
  void use_if_present(Feature f) {
    if (has(f)) set_usable(f);
  }

  bool prefers(Preference p) const { return (preferred >> p & 1) != 0; }
  void prefer(Preference p) { preferred |= 1u << p; }
  void dont_prefer(Preference p) { preferred &= ~(1u << p); }
};

/// Fills kind, max_leaf, family, model (without the extended part that only some vendors count),
/// stepping and the leaves; `extended_model` is that part.
void read_leaves(Cpu& cpu, Cpuid& cpuid, const Rules& rules, std::uint32_t* extended_model);
/// Fills `active`, isa_1 and the XSAVE sizes. Needs: read_leaves(). `hwcap2` = AT_HWCAP2.
void find_usable(Cpu& cpu, Cpuid& cpuid, const Rules& rules, std::uint64_t hwcap2);

/// The areas that glibc's lazy binder and TLS descriptors save to, by leaf 0xd. Needs:
/// find_usable().
void find_xsave_sizes(Cpu& cpu, Cpuid& cpuid, const Rules& rules);
/// N of x86-64-vN by what is usable, 0 if not even 1.
int isa_level(const Cpu& cpu);
/// Takes back what needs XSAVE if that has become unusable.
void drop_what_needs_xsave(Cpu& cpu);

/// Sets preferences and the divisor, and takes back features that the model has but should not use.
/// Needs: find_usable().
void apply_model(Cpu& cpu, const Rules& rules, std::uint32_t extended_model);

/// Fills caches and thresholds, the latter with what the tunables say. Needs: apply_model().
void find_caches(Cpu& cpu, Cpuid& cpuid, const Rules& rules, const Tunables& tunables);
/// Tells the tunables what became of the thresholds, with their bounds.
void store_thresholds(const Cpu& cpu, const Rules& rules, Tunables& tunables);

/// Applies glibc.cpu.hwcaps and glibc.cpu.prefer_map_32bit_exec.
void apply_hwcaps(Cpu& cpu, const Rules& rules, const Tunables& tunables);

/// All of the above, in glibc's order, but store_thresholds().
/// `sizes`: of XSAVE areas as well, which only ld.so itself reads of the block.
Cpu examine(Cpuid& cpuid,
            const Rules& rules,
            std::uint64_t hwcap2,
            const Tunables& tunables,
            bool sizes = true);
/// Writes `cpu` into the block that `layout` describes.
void store(const Cpu& cpu, const Rules& rules, const Layout& layout, std::byte* block);
/// Writes the same as lines of text, for --list-diagnostics.
void print_lines(const Cpu& cpu, const Rules& rules, const Layout& layout, sys::Text& out);
/// The number that the release has for the vendor.
std::uint32_t kind_number(Kind kind, const Rules& rules);

}  // namespace myld::glibc::x86
