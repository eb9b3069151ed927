// Sizes of the caches, and from them the sizes at which memcpy and memset change their ways.
//
// The formulae are glibc's and differ between releases; what is computed here is what that
// release's ld.so would have computed, good or bad. Source: glibc sysdeps/x86/dl-cacheinfo.h
// of 2.36 (tag and branch), 2.41 and 2.43, and of the commits between; Intel SDM vol. 2 table
// "Encoding of CPUID Leaf 2 Descriptors"; AMD APM vol. 3 E.4.

#include "rtld/glibc/x86_64/cpu.hpp"

#include <algorithm>
#include <iterator>

namespace myld::glibc::x86 {
namespace {

enum class Level : std::uint8_t { l1i, l1d, l2, l3, l4 };

/// All zero: no such cache. All -1: glibc says "unknown" in this way.
struct Cache {
  std::int64_t size = 0, assoc = 0, linesize = 0;
};
constexpr Cache kUnknown{-1, -1, -1};

/// One byte of leaf 2.
struct Descriptor {
  std::uint8_t byte;
  Level level;
  std::uint8_t assoc, linesize;
  std::uint16_t kib;
};

constexpr Descriptor kDescriptors[] = {
    {0x06, Level::l1i, 4, 32, 8},     {0x08, Level::l1i, 4, 32, 16},
    {0x09, Level::l1i, 4, 32, 32},    {0x0a, Level::l1d, 2, 32, 8},
    {0x0c, Level::l1d, 4, 32, 16},    {0x0d, Level::l1d, 4, 64, 16},
    {0x0e, Level::l1d, 6, 64, 24},    {0x21, Level::l2, 8, 64, 256},
    {0x22, Level::l3, 4, 64, 512},    {0x23, Level::l3, 8, 64, 1024},
    {0x25, Level::l3, 8, 64, 2048},   {0x29, Level::l3, 8, 64, 4096},
    {0x2c, Level::l1d, 8, 64, 32},    {0x30, Level::l1i, 8, 64, 32},
    {0x39, Level::l2, 4, 64, 128},    {0x3a, Level::l2, 6, 64, 192},
    {0x3b, Level::l2, 2, 64, 128},    {0x3c, Level::l2, 4, 64, 256},
    {0x3d, Level::l2, 6, 64, 384},    {0x3e, Level::l2, 4, 64, 512},
    {0x3f, Level::l2, 2, 64, 256},    {0x41, Level::l2, 4, 32, 128},
    {0x42, Level::l2, 4, 32, 256},    {0x43, Level::l2, 4, 32, 512},
    {0x44, Level::l2, 4, 32, 1024},   {0x45, Level::l2, 4, 32, 2048},
    {0x46, Level::l3, 4, 64, 4096},   {0x47, Level::l3, 8, 64, 8192},
    {0x48, Level::l2, 12, 64, 3072},  {0x49, Level::l2, 16, 64, 4096},
    {0x4a, Level::l3, 12, 64, 6144},  {0x4b, Level::l3, 16, 64, 8192},
    {0x4c, Level::l3, 12, 64, 12288}, {0x4d, Level::l3, 16, 64, 16384},
    {0x4e, Level::l2, 24, 64, 6144},  {0x60, Level::l1d, 8, 64, 16},
    {0x66, Level::l1d, 4, 64, 8},     {0x67, Level::l1d, 4, 64, 16},
    {0x68, Level::l1d, 4, 64, 32},    {0x78, Level::l2, 8, 64, 1024},
    {0x79, Level::l2, 8, 64, 128},    {0x7a, Level::l2, 8, 64, 256},
    {0x7b, Level::l2, 8, 64, 512},    {0x7c, Level::l2, 8, 64, 1024},
    {0x7d, Level::l2, 8, 64, 2048},   {0x7f, Level::l2, 2, 64, 512},
    {0x80, Level::l2, 8, 64, 512},    {0x82, Level::l2, 8, 32, 256},
    {0x83, Level::l2, 8, 32, 512},    {0x84, Level::l2, 8, 32, 1024},
    {0x85, Level::l2, 8, 32, 2048},   {0x86, Level::l2, 4, 64, 512},
    {0x87, Level::l2, 8, 64, 1024},   {0xd0, Level::l3, 4, 64, 512},
    {0xd1, Level::l3, 4, 64, 1024},   {0xd2, Level::l3, 4, 64, 2048},
    {0xd6, Level::l3, 8, 64, 1024},   {0xd7, Level::l3, 8, 64, 2048},
    {0xd8, Level::l3, 8, 64, 4096},   {0xdc, Level::l3, 12, 64, 2048},
    {0xdd, Level::l3, 12, 64, 4096},  {0xde, Level::l3, 12, 64, 8192},
    {0xe2, Level::l3, 16, 64, 2048},  {0xe3, Level::l3, 16, 64, 4096},
    {0xe4, Level::l3, 16, 64, 8192},  {0xea, Level::l3, 24, 64, 12288},
    {0xeb, Level::l3, 24, 64, 18432}, {0xec, Level::l3, 24, 64, 24576},
};

static_assert(std::ranges::adjacent_find(kDescriptors, [](const auto& a, const auto& b) {
                return a.byte >= b.byte;
              }) == std::end(kDescriptors));  // ascending

/// No processor has as many; a loop over subleaves ends here whatever CPUID says.
constexpr std::uint32_t kMaxSubleaves = 32;

/// A subleaf of leaf 4 (Intel, Zhaoxin); 0x8000001d of AMD has the same form, without partitions.
Cache deterministic(const CpuidRegs& regs) {
  std::uint32_t ways = (regs.ebx >> 22) + 1;
  std::uint32_t partitions = (regs.ebx >> 12 & 0x3ff) + 1;
  std::uint32_t line = (regs.ebx & 0xfff) + 1;
  return {static_cast<std::int64_t>(ways * partitions * line * (regs.ecx + 1)), ways, line};
}

/// True and `cache` if leaf 4 has that cache.
bool find_in_leaf4(Cpuid& cpuid, Level level, Cache* cache) {
  for (std::uint32_t i = 0; i < kMaxSubleaves; ++i) {
    CpuidRegs regs = cpuid.leaf(4, i);
    std::uint32_t type = regs.eax & 0x1f;
    std::uint32_t depth = regs.eax >> 5 & 7;
    if (type == 0) return false;
    bool found = level == Level::l1d   ? depth == 1 && type == 1
                 : level == Level::l1i ? depth == 1 && type == 2
                                       : depth == static_cast<std::uint32_t>(level);
    if (found) {
      *cache = deterministic(regs);
      return true;
    }
  }
  return false;
}
static_assert(static_cast<int>(Level::l2) == 2 && static_cast<int>(Level::l4) == 4);

Cache leaf4_or_unknown(Cpuid& cpuid, Level level) {
  Cache cache;
  return find_in_leaf4(cpuid, level, &cache) ? cache : kUnknown;
}

/// What one register of leaf 2 says of a cache: true and `cache` if that ends the search.
bool find_in_register(const Cpu& cpu,
                      Cpuid& cpuid,
                      const Rules& rules,
                      std::uint32_t value,
                      Level level,
                      bool* no_level_2_or_3,
                      Cache* cache) {
  if ((value & 0x80000000) != 0) return false;
  for (; value != 0; value >>= 8) {
    std::uint8_t byte = value & 0xff;
    if (byte == 0x40) {
      *no_level_2_or_3 = true;
      if (level == Level::l3) return false;
      continue;
    }
    if (byte == 0xff) {  // leaf 4 says it all
      if (find_in_leaf4(cpuid, level, cache)) return true;
      if (!rules.leaf4_instead_of_2) return false;
      *cache = kUnknown;
      return true;
    }
    // One byte means the third level on one model and the second on all others.
    if (byte == 0x49 && level == Level::l3 && cpu.family == 15 && cpu.model == 6) level = Level::l2;
    const Descriptor* entry = std::ranges::lower_bound(kDescriptors, byte, {}, &Descriptor::byte);
    if (entry != std::end(kDescriptors) && entry->byte == byte && entry->level == level) {
      *cache = {std::int64_t{entry->kib} * 1024, entry->assoc, entry->linesize};
      return true;
    }
  }
  return false;
}

Cache intel_cache(const Cpu& cpu, Cpuid& cpuid, const Rules& rules, Level level) {
  if (cpu.max_leaf < 2) return kUnknown;
  CpuidRegs regs = cpuid.leaf(2);
  if (rules.leaf4_instead_of_2 && (regs.eax & 0xff) != 1) return leaf4_or_unknown(cpuid, level);
  bool no_level_2_or_3 = false;
  Cache cache;
  for (std::uint32_t value : {regs.eax & 0xffffff00, regs.ebx, regs.ecx, regs.edx}) {
    if (find_in_register(cpu, cpuid, rules, value, level, &no_level_2_or_3, &cache)) return cache;
  }
  return no_level_2_or_3 && (level == Level::l2 || level == Level::l3) ? kUnknown : Cache{};
}

Cache zhaoxin_cache(Cpuid& cpuid, Level level) {
  Cache cache;
  return find_in_leaf4(cpuid, level, &cache) ? cache : Cache{};
}

/// The 4-bit code of leaf 0x80000006; `bytes` and `line` for the code that means "fully".
std::int64_t amd_associativity(std::uint32_t code, std::uint64_t bytes, std::uint32_t line) {
  constexpr std::uint8_t kWays[] = {0, 1, 2, 0, 4, 0, 8, 0, 16, 0, 32, 48, 64, 96, 128};
  if (code < sizeof kWays) return kWays[code];
  return line == 0 ? 0 : static_cast<std::int64_t>(bytes / line);
}

/// Logical processors of the package, 0 where leaf 1 does not say.
std::uint32_t threads_of_leaf1(const Cpu& cpu) {
  return cpu.has(HTT) ? cpu.features[kLeaf1].cpuid[kEbx] >> 16 & 0xff : 0;
}

/// Leaves 0x80000005 and 0x80000006.
Cache amd_legacy_cache(const Cpu& cpu, Cpuid& cpuid, const Rules& rules, Level level) {
  std::uint32_t max_extended = cpuid.leaf(0x80000000).eax;
  std::uint32_t leaf = level >= Level::l2 ? 0x80000006 : 0x80000005;
  if (max_extended < leaf) return {};
  CpuidRegs regs = cpuid.leaf(leaf);
  if (level == Level::l1i || level == Level::l1d) {
    std::uint32_t value = level == Level::l1i ? regs.edx : regs.ecx;
    std::uint32_t assoc = value >> 16 & 0xff;
    if (assoc == 0xff) assoc = value >> 14 & 0x3fc00;  // fully: as many ways as bytes
    return {value >> 14 & 0x3fc00, assoc, value & 0xff};
  }
  std::uint32_t value = level == Level::l2 ? regs.ecx : regs.edx;
  if ((value & 0xf000) == 0) return {};
  std::uint64_t bytes =
      level == Level::l2 ? value >> 6 & 0x3fffc00 : std::uint64_t{value & 0x3ffc0000} << 1;
  std::uint32_t line = value & 0xff;
  Cache cache{static_cast<std::int64_t>(bytes), amd_associativity(value >> 12 & 0xf, bytes, line),
              line};
  if (level == Level::l3 && rules.amd_legacy_fallback) {
    // One thread's share, or a core complex's, of what the leaf says of the whole chip.
    std::uint32_t threads = max_extended >= 0x80000008 ? (cpuid.leaf(0x80000008).ecx & 0xff) + 1
                                                       : threads_of_leaf1(cpu);
    cache.size = threads > 0 ? cache.size / threads : 0;
    if (cpu.family >= 0x17) cache.size *= (cpuid.leaf(0x8000001d, 3).eax >> 14 & 0xfff) + 1;
  }
  return cache;
}

/// Subleaves 0 to 3 of leaf 0x8000001d, which fewer and fewer hypervisors leave empty.
Cache amd_cache(const Cpu& cpu, Cpuid& cpuid, const Rules& rules, Level level) {
  if (level == Level::l4) return {};
  bool by_leaf_1d = cpu.kind == Kind::hygon || rules.amd_leaf_1d;
  bool may_fall_back = cpu.kind == Kind::amd && rules.amd_legacy_fallback;
  if (by_leaf_1d && (!may_fall_back || cpuid.leaf(0x80000000).eax >= 0x8000001d)) {
    constexpr std::uint8_t kSubleaf[] = {1, 0, 2, 3};
    CpuidRegs regs = cpuid.leaf(0x8000001d, kSubleaf[static_cast<int>(level)]);
    regs.ebx &= ~(0x3ffu << 12);
    if (regs.ecx != 0 || cpu.kind == Kind::hygon) return deterministic(regs);
    if (!may_fall_back) return {};
  }
  return amd_legacy_cache(cpu, cpuid, rules, level);
}

/// The last level of cache, and one thread's share of it, in bytes.
struct Share {
  std::int64_t shared, per_thread;
};

/// Numbers of threads less 1 that share a level; -1 where the level was not looked for.
struct Sharers {
  std::int64_t l2, l3;
  bool inclusive;
  bool known;
};

Sharers sharers_by_leaf4(const Cpu& cpu, Cpuid& cpuid, bool has_l3) {
  Sharers sharers{0, has_l3 ? 0 : -1, true, false};
  bool want_l2 = true;
  bool want_l3 = has_l3;
  for (std::uint32_t i = 0; i < kMaxSubleaves && (want_l2 || want_l3); ++i) {
    CpuidRegs regs = cpuid.leaf(4, i);
    if (cpu.kind == Kind::intel && (regs.eax & 0x1f) == 0) return sharers;
    std::uint32_t depth = regs.eax >> 5 & 7;
    std::uint32_t threads = regs.eax >> 14 & 0x3ff;
    if (depth == 2 && want_l2) {
      sharers.l2 = threads;
      want_l2 = false;
    } else if (depth == 3 && want_l3) {
      sharers.l3 = threads;
      sharers.inclusive = (regs.edx & 2) != 0;
      want_l3 = false;
    }
  }
  sharers.known = true;
  return sharers;
}

/// Leaf 4 counts addressable IDs; leaf 11 says how many of them are threads that exist.
void count_threads_by_leaf11(Cpuid& cpuid, bool has_l3, Sharers* sharers) {
  auto existing = [](std::int64_t ids, std::uint32_t shipped) -> std::int64_t {
    std::uint32_t top =
        31u - static_cast<std::uint32_t>(__builtin_clz(static_cast<std::uint32_t>(ids)));
    std::uint32_t mask = top == 31 ? ~0u : (1u << (top + 1)) - 1;
    return static_cast<std::int32_t>((shipped - 1) & mask);
  };
  bool want_smt = sharers->l2 > 0 && has_l3;
  bool want_cores = sharers->l3 > 0 || (sharers->l2 > 0 && !has_l3);
  for (std::uint32_t i = 0; i < kMaxSubleaves && (want_smt || want_cores); ++i) {
    CpuidRegs regs = cpuid.leaf(11, i);
    std::uint32_t shipped = regs.ebx & 0xff;
    std::uint32_t type = regs.ecx >> 8 & 0xff;
    if (shipped == 0 || type == 0) return;
    if (type == 1 && want_smt) {
      sharers->l2 = existing(sharers->l2, shipped);
      want_smt = false;
    } else if (type == 2 && want_cores) {
      std::int64_t* cores = has_l3 ? &sharers->l3 : &sharers->l2;
      *cores = existing(*cores, shipped);
      want_cores = false;
    }
  }
}

/// Intel and Zhaoxin. `l2` and `l3` are the caches' sizes, 0 or less where there is none.
Share share_of(const Cpu& cpu, Cpuid& cpuid, const Rules& rules, std::int64_t l2, std::int64_t l3) {
  bool has_l3 = l3 > 0;
  std::int64_t last = has_l3 ? l3 : l2;
  Share share{last, last};
  Sharers sharers{0, has_l3 ? 0 : -1, true, false};
  if (cpu.has(HTT)) {
    std::int64_t threads = 0;
    if (cpu.max_leaf >= 4) sharers = sharers_by_leaf4(cpu, cpuid, has_l3);
    if (sharers.known) {
      bool counts = !(cpu.kind == Kind::zhaoxin && cpu.family == 6);
      if (cpu.max_leaf >= 11 && counts) count_threads_by_leaf11(cpuid, has_l3, &sharers);
      if (sharers.l2 > 0) ++sharers.l2;
      if (sharers.l3 > 0) ++sharers.l3;
      threads = has_l3 ? sharers.l3 : sharers.l2;
      bool silvermont = cpu.kind == Kind::intel && cpu.family == 6 &&
                        (cpu.model == 0x37 || cpu.model == 0x4a || cpu.model == 0x4d ||
                         cpu.model == 0x5a || cpu.model == 0x5d);
      if (!has_l3 && silvermont && threads > 2) threads = 2;
    } else {
      threads = cpu.features[kLeaf1].cpuid[kEbx] >> 16 & 0xff;
    }
    if (share.per_thread > 0 && threads > 0) share.per_thread /= threads;
  }
  if (!sharers.inclusive) {
    share.per_thread += sharers.l2 > 0 ? l2 / sharers.l2 : l2;
    share.shared += l2;
  }
  if (rules.share_is_threshold) share.shared = share.per_thread;
  return share;
}

Share amd_share(
    const Cpu& cpu, Cpuid& cpuid, const Rules& rules, std::int64_t l2, std::int64_t l3) {
  if (l3 <= 0) return {l2, l2};
  if (rules.amd_leaf_1d) {
    bool exclusive = cpu.family < 0x17 && rules.amd_legacy_fallback;
    std::int64_t shared = exclusive ? l3 + l2 : l3;
    return {shared, shared};
  }
  std::uint32_t threads = 0;
  if (cpuid.leaf(0x80000000).eax >= 0x80000008)
    threads = 1u << (cpuid.leaf(0x80000008).ecx >> 12 & 0xf);
  if ((threads == 0 || cpu.family >= 0x17) && cpu.has(HTT)) threads = threads_of_leaf1(cpu);
  Share share{l3, threads > 0 ? l3 / threads : l3};
  if (cpu.family >= 0x17) {  // what the threads of one core complex share
    share.per_thread *= (cpuid.leaf(0x8000001d, 3).eax >> 14 & 0xfff) + 1;
  } else {  // L2 and L3 are exclusive
    share.shared += l2;
    share.per_thread += l2;
  }
  if (rules.share_is_threshold) share.shared = share.per_thread;
  return share;
}

constexpr std::uint64_t kMinNonTemporal = 0x4040;
constexpr std::uint64_t kMaxNonTemporal = ~std::uint64_t{0} >> 4;

std::uint64_t non_temporal_threshold(const Cpu& cpu, const Rules& rules, const Share& share) {
  auto low = static_cast<std::uint64_t>(share.per_thread * 3 / 4);
  std::uint64_t threshold = low;
  if (!rules.share_is_threshold) {
    // An unknown size is -1: a huge number before the division from 2.38 on, nothing before that.
    threshold = rules.unknown_cache_is_64m
                    ? static_cast<std::uint64_t>(share.shared) / cpu.non_temporal_divisor
                    : static_cast<std::uint64_t>(share.shared / 4);
    bool exempt = rules.tunes_yongfeng && cpu.kind == Kind::zhaoxin;
    if (threshold < low || (!cpu.usable(ERMS) && !exempt)) threshold = low;
  }
  if (!rules.bounded_non_temporal) return threshold;
  if (threshold < kMinNonTemporal) return rules.unknown_cache_is_64m ? 64u << 20 : kMinNonTemporal;
  return threshold > kMaxNonTemporal ? kMaxNonTemporal : threshold;
}

/// Bytes of the vectors that string functions will use.
std::uint64_t vector_size(const Cpu& cpu) {
  if (cpu.usable(AVX512F) && !cpu.prefers(Prefer_No_AVX512)) return 64;
  return cpu.prefers(AVX_Fast_Unaligned_Load) ? 32 : 16;
}

/// Whether memset streams above the threshold of memcpy.
bool streams_memset(const Cpu& cpu, const Rules& rules) {
  if (cpu.prefers(Avoid_Non_Temporal_Memset)) return false;
  return rules.memset == Memset::preferences || cpu.kind == Kind::intel || cpu.kind == Kind::amd;
}

std::uint64_t rep_movsb_threshold(const Cpu& cpu,
                                  const Rules& rules,
                                  std::uint64_t vector,
                                  std::uint64_t non_temporal) {
  if (rules.amd_avoids_erms && cpu.kind == Kind::amd) return non_temporal;
  if (cpu.usable(FSRM)) return 2112;
  return vector == 16 ? 2048 : (rules.doubled_rep_movsb ? 4096 : 2048) * (vector / 16);
}

void find_thresholds(Cpu& cpu, const Rules& rules, const Tunables& tunables, const Share& share) {
  Thresholds& to = cpu.thresholds;
  std::uint64_t vector = vector_size(cpu);
  to.non_temporal = non_temporal_threshold(cpu, rules, share);
  to.rep_movsb_min = vector * 8;
  to.rep_movsb = rep_movsb_threshold(cpu, rules, vector, to.non_temporal);
  to.memset_non_temporal = streams_memset(cpu, rules) ? to.non_temporal : ~std::uint64_t{0};
  to.rep_movsb_stop = to.non_temporal;

  if (std::uint64_t size = tunables.number(TunableKey::cpu_x86_data_cache_size, 0))
    to.data_cache_size = size;
  if (std::uint64_t size = tunables.number(TunableKey::cpu_x86_shared_cache_size, 0))
    to.shared_cache_size = size;
  auto in_bounds = [](std::uint64_t size) {
    return size > kMinNonTemporal && size <= kMaxNonTemporal;
  };
  std::uint64_t asked = tunables.number(TunableKey::cpu_x86_non_temporal_threshold, 0);
  if (rules.bounded_non_temporal ? in_bounds(asked) : asked != 0) to.non_temporal = asked;
  asked = tunables.number(TunableKey::cpu_x86_memset_non_temporal_threshold, 0);
  if (in_bounds(asked)) to.memset_non_temporal = asked;
  asked = tunables.number(TunableKey::cpu_x86_rep_movsb_threshold, 0);
  if (static_cast<std::int64_t>(asked) > static_cast<std::int64_t>(to.rep_movsb_min))
    to.rep_movsb = asked;
  to.rep_stosb = tunables.number(TunableKey::cpu_x86_rep_stosb_threshold, 2048);
  if (rules.amd_avoids_erms && cpu.kind == Kind::amd &&
      !tunables.is_set(TunableKey::cpu_x86_rep_stosb_threshold))
    to.rep_stosb = ~std::uint64_t{0};
  // Streaming memset is reached through the REP STOSB path alone.
  if (rules.memset == Memset::preferences && cpu.prefers(Avoid_STOSB))
    to.rep_stosb = to.memset_non_temporal;

  if (rules.late_rep_movsb_stop) to.rep_movsb_stop = to.non_temporal;
  if (cpu.kind == Kind::amd && !rules.amd_avoids_erms)
    to.rep_movsb_stop = cpu.caches.level2_cache_size;
}

}  // namespace

void find_caches(Cpu& cpu, Cpuid& cpuid, const Rules& rules, const Tunables& tunables) {
  Cache l1i = kUnknown, l1d = kUnknown, l2 = kUnknown, l3 = kUnknown, l4 = kUnknown;
  Share share{-1, -1};
  switch (cpu.kind) {
  case Kind::intel:
    l1i = intel_cache(cpu, cpuid, rules, Level::l1i);
    l1d = intel_cache(cpu, cpuid, rules, Level::l1d);
    l2 = intel_cache(cpu, cpuid, rules, Level::l2);
    l3 = intel_cache(cpu, cpuid, rules, Level::l3);
    l4 = intel_cache(cpu, cpuid, rules, Level::l4);
    share = share_of(cpu, cpuid, rules, l2.size, l3.size);
    break;
  case Kind::zhaoxin:
    l1i = zhaoxin_cache(cpuid, Level::l1i);
    l1d = zhaoxin_cache(cpuid, Level::l1d);
    l2 = zhaoxin_cache(cpuid, Level::l2);
    l3 = zhaoxin_cache(cpuid, Level::l3);
    share = share_of(cpu, cpuid, rules, l2.size, l3.size);
    break;
  case Kind::amd:
  case Kind::hygon:
    l1i = amd_cache(cpu, cpuid, rules, Level::l1i);
    l1d = amd_cache(cpu, cpuid, rules, Level::l1d);
    l2 = amd_cache(cpu, cpuid, rules, Level::l2);
    l3 = amd_cache(cpu, cpuid, rules, Level::l3);
    if (cpu.kind == Kind::hygon) {
      share = {l3.size, l3.size};
    } else {
      share = amd_share(cpu, cpuid, rules, l2.size, l3.size);
      if (rules.amd_legacy_fallback) l4 = {};
    }
    break;
  case Kind::unknown:
  case Kind::other: break;
  }

  auto u = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
  cpu.caches = {
      .level1_icache_size = u(l1i.size),
      .level1_icache_linesize = u(l1i.linesize),
      .level1_dcache_size = u(l1d.size),
      .level1_dcache_assoc = u(l1d.assoc),
      .level1_dcache_linesize = u(l1d.linesize),
      .level2_cache_size = u(l2.size),
      .level2_cache_assoc = u(l2.assoc),
      .level2_cache_linesize = u(l2.linesize),
      .level3_cache_size = u(l3.size),
      .level3_cache_assoc = u(l3.assoc),
      .level3_cache_linesize = u(l3.linesize),
      .level4_cache_size = u(l4.size),
  };
  cpu.thresholds.data_cache_size = u(l1d.size);
  cpu.thresholds.shared_cache_size = u(share.shared);
  find_thresholds(cpu, rules, tunables, share);
}

void store_thresholds(const Cpu& cpu, const Rules& rules, Tunables& tunables) {
  const Thresholds& from = cpu.thresholds;
  constexpr std::uint64_t kMax = ~std::uint64_t{0};
  tunables.set(TunableKey::cpu_x86_data_cache_size, from.data_cache_size, 0, kMax);
  tunables.set(TunableKey::cpu_x86_shared_cache_size, from.shared_cache_size, 0, kMax);
  bool bounded = rules.late_rep_movsb_stop;  // both came with 2.36
  tunables.set(TunableKey::cpu_x86_non_temporal_threshold, from.non_temporal,
               bounded ? kMinNonTemporal : 0, bounded ? kMaxNonTemporal : kMax);
  if (rules.memset != Memset::no_threshold)
    tunables.set(TunableKey::cpu_x86_memset_non_temporal_threshold, from.memset_non_temporal,
                 kMinNonTemporal, kMax);
  tunables.set(TunableKey::cpu_x86_rep_movsb_threshold, from.rep_movsb, from.rep_movsb_min, kMax);
  tunables.set(TunableKey::cpu_x86_rep_stosb_threshold, from.rep_stosb, 1, kMax);
}

}  // namespace myld::glibc::x86
