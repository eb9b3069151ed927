// What x86-64's fill_cpu_features() stores: against the system's own ld.so, which prints what it
// has stored itself, and for invented processors.
//
// MYLD_TEST_LD_SO names further ld.so files (separated by colons) to compare with.

#include "rtld/glibc/cpu_features.hpp"
#include "rtld/glibc/x86_64/cpu.hpp"
#include "tests/unit/catch.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <sys/auxv.h>
#include <unistd.h>
#include <vector>

using namespace myld::glibc;
using namespace myld::glibc::x86;

namespace {

using Values = std::map<std::string, std::string>;

std::string hex(std::uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string run(const std::string& ld_so, const std::string& tunables, const char* option) {
  std::string command = "env -i ";
  if (!tunables.empty()) command += "GLIBC_TUNABLES='" + tunables + "' ";
  command += ld_so + " " + option;
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
  REQUIRE(pipe);
  std::string text;
  std::array<char, 4096> buffer;
  while (std::size_t got = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
    text.append(buffer.data(), got);
  return text;
}

/// The lines of --list-diagnostics that speak of the processor; the preferences as one word, in
/// which their bits stand in the order of the lines.
Values diagnostics(const std::string& text, unsigned* minor) {
  Values values;
  std::uint64_t preferred = 0;
  unsigned preferences = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = text.find('\n', at);
    std::string line = text.substr(at, end - at);
    at = end == std::string::npos ? text.size() : end + 1;
    std::size_t equals = line.find('=');
    if (equals == std::string::npos) continue;
    std::string name = line.substr(0, equals);
    std::string value = line.substr(equals + 1);
    if (name == "version.version")
      *minor = static_cast<unsigned>(std::atoi(value.c_str() + 3));  // "2.36"
    else if (name.rfind("x86.cpu_features.preferred.", 0) == 0)
      preferred |= std::uint64_t{value == "0x1"} << preferences++;
    else if (name.rfind("x86.cpu_features.", 0) == 0 || name == "dl_hwcap" ||
             name == "dl_platform" || name == "dl_hwcaps_subdirs_active")
      values[name] = value;
  }
  values["x86.cpu_features.preferred"] = hex(preferred);
  // A variable of ld.so's own, outside the block.
  values.erase("x86.cpu_features.tlsdesc_state_full_size");
  return values;
}

struct Member {
  const char* name;
  Offset Layout::CpuFeatures::*at;
  unsigned size;
};

using F = Layout::CpuFeatures;
constexpr Member kMembers[] = {
    {"preferred", &F::preferred, 4},
    {"isa_1", &F::isa_1, 4},
    {"xsave_state_size", &F::xsave_state_size, 8},
    {"xsave_state_full_size", &F::xsave_state_full_size, 4},
    {"data_cache_size", &F::data_cache_size, 8},
    {"shared_cache_size", &F::shared_cache_size, 8},
    {"non_temporal_threshold", &F::non_temporal_threshold, 8},
    {"memset_non_temporal_threshold", &F::memset_non_temporal_threshold, 8},
    {"rep_movsb_threshold", &F::rep_movsb_threshold, 8},
    {"rep_movsb_stop_threshold", &F::rep_movsb_stop_threshold, 8},
    {"rep_stosb_threshold", &F::rep_stosb_threshold, 8},
    {"level1_icache_size", &F::level1_icache_size, 8},
    {"level1_icache_linesize", &F::level1_icache_linesize, 8},
    {"level1_dcache_size", &F::level1_dcache_size, 8},
    {"level1_dcache_assoc", &F::level1_dcache_assoc, 8},
    {"level1_dcache_linesize", &F::level1_dcache_linesize, 8},
    {"level2_cache_size", &F::level2_cache_size, 8},
    {"level2_cache_assoc", &F::level2_cache_assoc, 8},
    {"level2_cache_linesize", &F::level2_cache_linesize, 8},
    {"level3_cache_size", &F::level3_cache_size, 8},
    {"level3_cache_assoc", &F::level3_cache_assoc, 8},
    {"level3_cache_linesize", &F::level3_cache_linesize, 8},
    {"level4_cache_size", &F::level4_cache_size, 8},
    {"cachesize_non_temporal_divisor", &F::cachesize_non_temporal_divisor, 8},
};

std::uint64_t read(const std::vector<std::byte>& block, std::size_t at, unsigned size) {
  std::uint64_t value = 0;
  REQUIRE(at + size <= block.size());
  std::memcpy(&value, block.data() + at, size);
  return value;
}

/// The same lines from our block.
Values
lines_of(const Layout& layout, const CpuResult& result, const std::vector<std::byte>& block) {
  const std::string prefix = "x86.cpu_features.";
  Values values;
  values["dl_hwcap"] = hex(result.dl_hwcap);
  values["dl_platform"] = "\"" + std::string(result.platform) + "\"";
  std::uint64_t active = 0;
  for (std::string_view name : hwcaps_subdirectories(result))
    active |= 1u << (std::string_view("432").find(name.back()));  // v4 is bit 0
  values["dl_hwcaps_subdirs_active"] = hex(active);
  const char* basic[] = {"kind", "max_cpuid", "family", "model", "stepping"};
  for (unsigned i = 0; i < 5; ++i)
    values[prefix + "basic." + basic[i]] = hex(read(block, layout.cpu_features.basic + 4 * i, 4));
  unsigned leaves = (layout.cpu_features.preferred - layout.cpu_features.features) / 32u;
  for (unsigned i = 0; i < leaves * 8; ++i)
    values[prefix + "features[" + hex(i / 8) + "]." + (i % 8 < 4 ? "cpuid" : "active") + "[" +
           hex(i % 4) + "]"] = hex(read(block, layout.cpu_features.features + 4 * i, 4));
  for (const Member& member : kMembers) {
    if (layout.cpu_features.*member.at != kAbsent)
      values[prefix + member.name] = hex(read(block, layout.cpu_features.*member.at, member.size));
  }
  return values;
}

/// Bits 24 - 31 are the APIC ID of whichever processor ran the instruction.
void forget_apic_id(Values& values) {
  std::string& word = values["x86.cpu_features.features[0x0].cpuid[0x1]"];
  word = hex(std::strtoull(word.c_str(), nullptr, 16) & 0xffffff);
}

/// The last layout of a release: what its branch, and so a distribution, has.
const Layout* layout_of(unsigned minor) {
  const Layout* found = nullptr;
  for (const Layout& layout : host_known().layouts) {
    if (layout.minor == minor) found = &layout;
  }
  return found;
}

void compare(const std::string& ld_so, const std::string& list) {
  INFO(ld_so << " with GLIBC_TUNABLES=" << list);
  unsigned minor = 0;
  Values theirs = diagnostics(run(ld_so, list, "--list-diagnostics"), &minor);
  const Layout* layout = layout_of(minor);
  if (layout == nullptr) {
    WARN("no layout for " << ld_so << ", glibc 2." << minor << ": not compared");
    return;
  }
  REQUIRE(theirs.size() > 100);

  std::string entry = "GLIBC_TUNABLES=" + list;
  const char* envp[] = {entry.c_str(), nullptr};
  Tunables tunables;
  tunables.init(host_known(), kTunableKeys, list.empty() ? envp + 1 : envp, false, {});
  REQUIRE(tunables.bind(layout->tunables, true, envp));
  CpuFacts facts{
      .hwcap = getauxval(AT_HWCAP), .hwcap2 = getauxval(AT_HWCAP2), .platform = "x86_64"};
  std::vector<std::byte> block(layout->cpu_features.size);
  CpuResult result = fill_cpu_features(*layout, facts, tunables, block.data());
  Values ours = lines_of(*layout, result, block);

  forget_apic_id(theirs);
  forget_apic_id(ours);
  for (const auto& [name, value] : theirs) {
    INFO(name);
    CHECK(ours[name] == value);
  }
  CHECK(ours.size() == theirs.size());

  std::string text;
  tunables.print(
      [](void* to, std::string_view piece) { static_cast<std::string*>(to)->append(piece); },
      &text);
  CHECK(text == run(ld_so, list, "--list-tunables"));
}

// An invented processor.

struct Answer {
  std::uint32_t leaf, subleaf;
  CpuidRegs regs;
};

std::vector<Answer> g_answers;
std::uint64_t g_xcr0 = 0;
int g_asked = 0;

CpuidRegs answer(std::uint32_t leaf, std::uint32_t subleaf) {
  ++g_asked;
  for (const Answer& a : g_answers) {
    if (a.leaf == leaf && a.subleaf == subleaf) return a.regs;
  }
  return {};
}

std::uint64_t xcr0() { return g_xcr0; }

CpuidRegs vendor(std::uint32_t max_leaf, const char* name) {
  CpuidRegs regs{.eax = max_leaf};
  std::memcpy(&regs.ebx, name, 4);
  std::memcpy(&regs.edx, name + 4, 4);
  std::memcpy(&regs.ecx, name + 8, 4);
  return regs;
}

/// Bits of one register.
std::uint32_t bits(std::initializer_list<Feature> features) {
  std::uint32_t word = 0;
  for (Feature f : features) word |= 1u << f % 32;
  return word;
}

const std::uint32_t kLeaf1Ecx =
    bits({SSE3, SSSE3, FMA, CMPXCHG16B, SSE4_1, SSE4_2, MOVBE, POPCNT, XSAVE, OSXSAVE, AVX, F16C});
const std::uint32_t kLeaf1Edx = bits({FPU, TSC, CX8, CMOV, MMX, FXSR, SSE, SSE2, HTT});
const std::uint32_t kLeaf7Ebx =
    bits({BMI1, AVX2, BMI2, ERMS, AVX512F, AVX512DQ, AVX512CD, AVX512BW, AVX512VL});

/// A cache as leaf 4 has it: 8 ways, 64-byte lines.
CpuidRegs cache(
    unsigned type, unsigned level, unsigned threads, std::uint32_t bytes, bool inclusive = false) {
  return {.eax = type | level << 5 | (threads - 1) << 14,
          .ebx = 7u << 22 | 63,
          .ecx = bytes / (8 * 64) - 1,
          .edx = inclusive ? 2u : 0u};
}

/// A processor with AVX-512 and caches of 32 KiB, 1 MiB and 32 MiB, the last shared by 16 threads
/// of 8 cores; `signature` is eax of leaf 1.
std::vector<Answer> processor(const char* name, std::uint32_t signature) {
  return {
      {0, 0, vendor(0x16, name)},
      {1, 0, {.eax = signature, .ebx = 16u << 16, .ecx = kLeaf1Ecx, .edx = kLeaf1Edx}},
      {2, 0, {.eax = 0x00feff01, .ebx = 0xf0, .ecx = 0, .edx = 0}},
      {4, 0, cache(1, 1, 2, 32 << 10)},
      {4, 1, cache(2, 1, 2, 32 << 10)},
      {4, 2, cache(3, 2, 2, 1 << 20)},
      {4, 3, cache(3, 3, 16, 32 << 20, true)},
      {7, 0, {.ebx = kLeaf7Ebx}},
      {11, 0, {.ebx = 2, .ecx = 0x100}},
      {11, 1, {.ebx = 16, .ecx = 0x201}},
      {0xd, 0, {.eax = 0xe7, .ebx = 0xa80}},
      {0xd, 1, {.eax = bits({XSAVEOPT, XSAVEC})}},
      {0x80000000, 0, {.eax = 0x8000001e}},
      {0x80000001, 0, {.ecx = bits({LAHF64_SAHF64, LZCNT, FMA4})}},
      {0x80000005, 0, {.ecx = 32u << 24 | 8u << 16 | 64, .edx = 32u << 24 | 8u << 16 | 64}},
      {0x80000006, 0, {.ecx = 1024u << 16 | 6u << 12 | 64, .edx = 64u << 18 | 9u << 12 | 64}},
      {0x80000008, 0, {.ecx = 15}},
      {0x8000001d, 0, cache(1, 1, 2, 32 << 10)},
      {0x8000001d, 1, cache(2, 1, 2, 32 << 10)},
      {0x8000001d, 2, cache(3, 2, 2, 1 << 20)},
      {0x8000001d, 3, cache(3, 3, 16, 32 << 20)},
  };
}

constexpr std::uint64_t kAllVectors = 0xe7;

Cpu examined(std::vector<Answer> answers,
             std::uint64_t state,
             const Rules& rules,
             const char* list = nullptr) {
  g_answers = std::move(answers);
  g_xcr0 = state;
  Cpuid cpuid({answer, xcr0});
  std::string entry = std::string("GLIBC_TUNABLES=") + (list != nullptr ? list : "");
  const char* envp[] = {list != nullptr ? entry.c_str() : nullptr, nullptr};
  Tunables tunables;
  tunables.init(host_known(), kTunableKeys, envp, false, {});
  return examine(cpuid, rules, 0, tunables);
}

constexpr std::uint32_t kIceLakeServer = 0x606a6;  // family 6, model 0x6a
constexpr std::uint32_t kSkylakeServer = 0x50654;  // model 0x55, stepping 4
constexpr std::uint32_t kZen3 = 0xa20f10;          // family 0x19

}  // namespace

TEST_CASE("the block is what the system's ld.so stores, and so are the tunables it lists") {
  std::vector<std::string> files = {"/lib64/ld-linux-x86-64.so.2"};
  if (const char* more = std::getenv("MYLD_TEST_LD_SO")) {
    std::string names = more;
    for (std::size_t at = 0; at < names.size();) {
      std::size_t end = std::min(names.find(':', at), names.size());
      files.push_back(names.substr(at, end - at));
      at = end + 1;
    }
  }
  for (const std::string& file : files) {
    if (access(file.c_str(), X_OK) != 0) {
      WARN("no " << file << " here: not compared");
      continue;
    }
    for (const char* list : {
             "",
             "glibc.cpu.hwcaps=-AVX2",
             "glibc.cpu.hwcaps=-AVX512F,-AVX,Prefer_ERMS,-ERMS,Slow_BSF,-I586,bogus,-,,Avoid_STOSB",
             "glibc.cpu.hwcaps=-XSAVEC,Prefer_No_AVX512,SHSTK",
             "glibc.cpu.hwcaps=-XSAVE,-XSAVEC",
             "glibc.cpu.hwcaps=-OSXSAVE,Prefer_No_VZEROUPPER",
             "glibc.cpu.x86_non_temporal_threshold=0x50000:glibc.cpu.x86_rep_movsb_threshold=0x1000"
             ":glibc.cpu.x86_rep_stosb_threshold=4096",
             "glibc.cpu.x86_non_temporal_threshold=0x10:glibc.cpu.x86_data_cache_size=12345"
             ":glibc.cpu.x86_shared_cache_size=0x100000:glibc.rtld.nns=7:glibc.malloc.perturb=256",
         })
      compare(file, list);
  }
}

TEST_CASE("vectors are usable only as far as XCR0 says that the system saves them") {
  Rules rules = newest_rules();
  auto ice_lake = processor("GenuineIntel", kIceLakeServer);

  Cpu all = examined(ice_lake, kAllVectors, rules);
  CHECK(all.usable(AVX512F));
  CHECK(all.usable(AVX512VL));
  CHECK(isa_level(all) == 4);

  Cpu ymm = examined(ice_lake, 7, rules);
  CHECK(ymm.usable(AVX2));
  CHECK(ymm.usable(FMA));
  CHECK_FALSE(ymm.usable(AVX512F));
  CHECK_FALSE(ymm.usable(AVX512BW));
  CHECK(isa_level(ymm) == 3);

  Cpu opmask_missing = examined(ice_lake, 0xc7, rules);
  CHECK_FALSE(opmask_missing.usable(AVX512F));

  Cpu xmm = examined(ice_lake, 3, rules);
  CHECK_FALSE(xmm.usable(AVX));
  CHECK_FALSE(xmm.usable(AVX2));
  CHECK_FALSE(xmm.usable(F16C));
  CHECK_FALSE(xmm.prefers(AVX_Fast_Unaligned_Load));
  CHECK(xmm.usable(SSE4_2));
  CHECK(xmm.usable(XSAVE));
  CHECK(isa_level(xmm) == 2);

  ice_lake[1].regs.ecx &= ~bits({OSXSAVE});  // the system does not know XSAVE at all
  Cpu none = examined(ice_lake, kAllVectors, rules);
  CHECK_FALSE(none.usable(AVX));
  CHECK_FALSE(none.usable(XSAVE));
  CHECK(none.xsave_area_bytes == 0);
  CHECK(isa_level(none) == 2);
}

TEST_CASE("Intel: the last level counts whole, its threads' share is the lower bound") {
  Cpu cpu = examined(processor("GenuineIntel", kIceLakeServer), kAllVectors, newest_rules());
  CHECK(cpu.kind == Kind::intel);
  CHECK(cpu.model == 0x6a);
  CHECK(cpu.caches.level1_dcache_size == 32 << 10);
  CHECK(cpu.caches.level2_cache_size == 1 << 20);
  CHECK(cpu.caches.level3_cache_assoc == 8);
  CHECK(cpu.caches.level4_cache_size == ~0ull);  // leaf 4 knows of none
  CHECK(cpu.thresholds.shared_cache_size == 32 << 20);
  CHECK(cpu.thresholds.non_temporal == 16 << 20);  // half: Ice Lake's divisor is 2
  CHECK(cpu.thresholds.memset_non_temporal == 16 << 20);
  CHECK(cpu.thresholds.rep_movsb == 8192);  // no AVX-512 for strings without AVX-VNNI
  CHECK(cpu.thresholds.rep_movsb_stop == 16 << 20);
  CHECK(cpu.prefers(Prefer_No_AVX512));
  CHECK(cpu.prefers(Fast_Unaligned_Copy));

  // By the rules of 2.36's tag it was three quarters of one thread's share: 32 MiB / 16.
  Rules old{.minor = 36,
            .avx_vnni_allows_avx512 = true,
            .doubled_rep_movsb = true,
            .share_is_threshold = true};
  cpu = examined(processor("GenuineIntel", kIceLakeServer), kAllVectors, old);
  CHECK(cpu.thresholds.shared_cache_size == 2 << 20);
  CHECK(cpu.thresholds.non_temporal == (2 << 20) * 3 / 4);
  CHECK(cpu.caches.level4_cache_size == 0);

  // An exclusive last level adds the second, of which half is a thread's.
  auto exclusive = processor("GenuineIntel", kIceLakeServer);
  exclusive[6].regs.edx = 0;
  cpu = examined(exclusive, kAllVectors, newest_rules());
  CHECK(cpu.thresholds.shared_cache_size == 33 << 20);
}

TEST_CASE("Intel: broken transactional memory is not usable, and Skylake avoids memset's streams") {
  auto skylake = processor("GenuineIntel", kSkylakeServer);
  skylake[7].regs.ebx |= bits({RTM, HLE});
  Cpu cpu = examined(skylake, kAllVectors, newest_rules());
  CHECK_FALSE(cpu.usable(RTM));
  CHECK_FALSE(cpu.usable(HLE));
  CHECK(cpu.usable(RTM_ALWAYS_ABORT));
  CHECK_FALSE(cpu.prefers(Prefer_No_VZEROUPPER));
  CHECK(cpu.prefers(Avoid_Non_Temporal_Memset));
  CHECK(cpu.thresholds.memset_non_temporal == ~0ull);

  skylake[1].regs.eax = kSkylakeServer + 2;  // stepping 6 works
  cpu = examined(skylake, kAllVectors, newest_rules());
  CHECK(cpu.usable(RTM));
  CHECK(cpu.prefers(Prefer_No_VZEROUPPER));
}

TEST_CASE(
    "AMD: REP MOVSB is avoided by newer releases, bounded by the second level in older ones") {
  auto zen3 = processor("AuthenticAMD", kZen3);
  Cpu cpu = examined(zen3, kAllVectors, newest_rules());
  CHECK(cpu.kind == Kind::amd);
  CHECK(cpu.family == 0x19);
  CHECK(cpu.usable(FMA4));
  CHECK_FALSE(cpu.prefers(Prefer_No_AVX512));
  CHECK(cpu.caches.level3_cache_size == 32 << 20);
  CHECK(cpu.thresholds.non_temporal == 24 << 20);  // three quarters: the share is the whole
  CHECK(cpu.thresholds.rep_movsb == 24 << 20);
  CHECK(cpu.thresholds.rep_stosb == ~0ull);

  const Layout* layout = layout_of(36);
  REQUIRE(layout != nullptr);
  cpu = examined(zen3, kAllVectors, rules_for(*layout));
  CHECK(cpu.caches.level3_cache_size == 32 << 20);  // 64 units of 512 KiB in leaf 0x80000006
  CHECK(cpu.caches.level3_cache_assoc == 0);        // whose code 9 refers to leaf 0x8000001d
  CHECK(cpu.thresholds.rep_movsb == 16384);
  CHECK(cpu.thresholds.rep_movsb_stop == 1 << 20);
  CHECK(cpu.thresholds.rep_stosb == 2048);
}

TEST_CASE("Zhaoxin: early models do not use the AVX they have; Hygon is AMD up to 2.40") {
  Cpu cpu = examined(processor("CentaurHauls", 0x107b0), kAllVectors, newest_rules());
  CHECK(cpu.kind == Kind::zhaoxin);
  CHECK(cpu.family == 7);
  CHECK(cpu.model == 0x1b);
  CHECK_FALSE(cpu.usable(AVX));
  CHECK_FALSE(cpu.usable(AVX2));
  CHECK(cpu.prefers(Slow_SSE4_2));
  CHECK(cpu.prefers(Avoid_Non_Temporal_Memset));
  CHECK(examined(processor("  Shanghai  ", 0x507b0), kAllVectors, newest_rules()).usable(AVX2));

  CHECK(examined(processor("HygonGenuine", 0x900f10), 7, newest_rules()).kind == Kind::hygon);
  CHECK(examined(processor("HygonGenuine", 0x900f10), 7, rules_for(*layout_of(36))).kind ==
        Kind::amd);
}

TEST_CASE("an unknown vendor gets the baseline and nothing more") {
  Cpu cpu = examined(processor("Somebody Els", kIceLakeServer), kAllVectors, newest_rules());
  CHECK(cpu.kind == Kind::other);
  CHECK_FALSE(cpu.usable(SSE2));
  CHECK_FALSE(cpu.usable(AVX2));
  CHECK(isa_level(cpu) == 0);
  CHECK(cpu.thresholds.rep_movsb == 2048);
  CHECK(cpu.caches.level1_dcache_size == ~0ull);
  // The unknown size is the largest number, and so is a quarter of it; without ERMS nothing is
  // left.
  CHECK(cpu.thresholds.non_temporal == ~0ull >> 4);
  auto no_erms = processor("Somebody Els", kIceLakeServer);
  no_erms[7].regs.ebx = 0;
  CHECK(examined(no_erms, kAllVectors, newest_rules()).thresholds.non_temporal == 64 << 20);
}

TEST_CASE("each leaf is executed once, also when it is all asked again") {
  g_answers = processor("AuthenticAMD", kZen3);
  g_xcr0 = kAllVectors;
  g_asked = 0;
  Cpuid cpuid({answer, xcr0});
  const char* envp[] = {nullptr};
  Tunables tunables;
  tunables.init(host_known(), kTunableKeys, envp, false, {});
  examine(cpuid, newest_rules(), 0, tunables);
  int once = g_asked;
  CHECK(once == static_cast<int>(cpuid.executed()));
  CHECK(once == 13);
  examine(cpuid, newest_rules(), 0, tunables);
  CHECK(g_asked == once);
}

TEST_CASE("preferences are renumbered for the release") {
  auto ice_lake = processor("GenuineIntel", kIceLakeServer);
  ice_lake[7].regs.edx |= bits({FSRM});
  auto word_of = [&](const Layout& layout) {
    Rules rules = rules_for(layout);
    Cpu cpu = examined(ice_lake, 7, rules, "glibc.cpu.hwcaps=Prefer_ERMS");
    std::vector<std::byte> block(layout.cpu_features.size);
    store(cpu, rules, layout, block.data());
    return read(block, layout.cpu_features.preferred, 4);
  };
  auto word = [&](unsigned minor) {
    const Layout* layout = layout_of(minor);
    REQUIRE(layout != nullptr);
    return word_of(*layout);
  };
  // Fast_Rep_String, Fast_Unaligned_Load, PMINUB, Copy, I586, I686, AVX_Fast_Unaligned_Load.
  constexpr std::uint64_t kLow = 1 << 0 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 9;
  // Prefer_ERMS, Prefer_No_AVX512, Avoid_Short_Distance_REP_MOVSB.
  CHECK(word(36) == (kLow | 1 << 11 | 1 << 12 | 1 << 15));
  CHECK(word(37) == word(36));
  CHECK(word(38) == (kLow | 1 << 12 | 1 << 13 | 1 << 16));
  CHECK(word(43) == word(38));
  // In 2.34 Prefer_AVX2_STRCMP precedes the last, and its tag has Prefer_MAP_32BIT_EXEC.
  CHECK(word(34) == (kLow | 1 << 11 | 1 << 12 | 1 << 15 | 1 << 16));
  const Layout& tag = host_known().layouts.front();
  REQUIRE(tag.minor == 34);
  CHECK(word_of(tag) == (kLow | 1 << 12 | 1 << 13 | 1 << 16 | 1 << 17));
}

TEST_CASE("every layout's rules fill its block and nothing beyond it") {
  for (const Layout& layout : host_known().layouts) {
    INFO("2." << unsigned{layout.minor});
    std::vector<std::byte> block(layout.cpu_features.size + 64, std::byte{0xa5});
    std::fill_n(block.begin(), layout.cpu_features.size, std::byte{});
    const char* envp[] = {nullptr};
    Tunables tunables;
    tunables.init(host_known(), kTunableKeys, envp, false, {});
    REQUIRE(tunables.bind(layout.tunables, true, envp));
    fill_cpu_features(layout, {.hwcap2 = getauxval(AT_HWCAP2)}, tunables, block.data());
    // libc copies these unchecked, and its memset crashes when one is 0.
    for (Offset at :
         {layout.cpu_features.non_temporal_threshold, layout.cpu_features.rep_movsb_threshold,
          layout.cpu_features.rep_stosb_threshold, layout.cpu_features.rep_movsb_stop_threshold})
      CHECK(read(block, at, 8) != 0);
    for (std::size_t i = layout.cpu_features.size; i < block.size(); ++i)
      REQUIRE(block[i] == std::byte{0xa5});
  }
}
