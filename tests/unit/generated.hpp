// Modules that exist in memory only, with symbols, versions and hash tables drawn at random: what
// look-up can meet, each kind often.
#pragma once
#include "loader/load/loader.hpp"
#include "rtld/scope/lookup.hpp"
#include "tests/unit/catch.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace myld::generated {

using elf::Sym;

struct Random {
  std::mt19937 engine;
  std::uint32_t below(std::uint32_t n) { return engine() % n; }
  bool one_in(std::uint32_t n) { return below(n) == 0; }
};

/// A module with tables of its own in memory; nothing else of it exists.
struct Fake {
  std::string strings = std::string(1, '\0');
  std::vector<Sym> symbols{Sym{}};
  std::vector<std::uint16_t> versym{0};
  std::vector<std::uint64_t> bloom;
  std::vector<std::uint32_t> buckets, chain;
  load::Module module;

  std::uint32_t text(const std::string& s) {
    auto at = static_cast<std::uint32_t>(strings.size());
    strings += s;
    strings += '\0';
    return at;
  }
  const char* name(std::uint32_t i) const { return strings.data() + symbols[i].st_name; }
};

enum class Table { gnu, sysv, none };

/// Few names, so that they meet; of different lengths, so that words and tails are compared.
inline std::string some_name(Random& r) {
  static const std::array<std::string, 4> kStems = {"f", "eightchr", "_ZN4myld5scope5Batch",
                                                    "a_name_of_sixteen"};
  return kStems[r.below(4)] + std::to_string(r.below(5));
}

constexpr std::array<const char*, 3> kVersions = {"V_1", "V_2", "OTHER_2.3"};

inline void add_versions(Fake& f, Random& r) {
  for (int i = 0; i < 2; ++i) REQUIRE(f.module.versions.push({}));
  for (const char* v : kVersions)  // 2, 3, 4: defined; 5, 6, 7: needed
    REQUIRE(f.module.versions.push({.name = v, .hash = scope::sysv_hash(v)}));
  for (const char* v : kVersions)
    REQUIRE(f.module.versions.push({.name = v, .hash = scope::sysv_hash(v), .file = "x"}));
  // Equal names at different addresses, as they are in different files.
  if (r.one_in(2)) {
    static const std::string kCopy = "V_1";
    f.module.versions[2].name = kCopy.c_str();
  }
}

inline Sym some_symbol(Fake& f, Random& r, bool defined) {
  static constexpr std::array<unsigned, 8> kTypes = {
      STT_FUNC, STT_FUNC, STT_OBJECT, STT_NOTYPE, STT_TLS, STT_GNU_IFUNC, STT_SECTION, STT_COMMON};
  static constexpr std::array<unsigned, 6> kVisibilities = {STV_DEFAULT, STV_DEFAULT,   STV_DEFAULT,
                                                            STV_DEFAULT, STV_PROTECTED, STV_HIDDEN};
  unsigned binding = r.one_in(4) ? STB_WEAK : r.one_in(6) ? STB_GNU_UNIQUE : STB_GLOBAL;
  Sym s{};
  s.st_name = f.text(some_name(r));
  s.st_info = static_cast<unsigned char>(binding << 4 | kTypes[r.below(defined ? 8 : 2)]);
  s.st_other = static_cast<unsigned char>(kVisibilities[r.below(6)]);
  if (defined) {
    s.st_shndx = r.one_in(10) ? SHN_ABS : 5;
    s.st_value = r.one_in(12) ? 0 : 0x1000 + r.below(1000) * 16;
  } else {
    s.st_value = r.one_in(8) ? 0x2000 : 0;  // a canonical PLT entry
  }
  return s;
}

inline void hash_gnu(Fake& f, std::uint32_t first, std::uint32_t bucket_count) {
  auto end = static_cast<std::uint32_t>(f.symbols.size());
  std::vector<std::pair<Sym, std::uint16_t>> hashed;
  for (std::uint32_t i = first; i < end; ++i) hashed.emplace_back(f.symbols[i], f.versym[i]);
  auto bucket = [&](const Sym& s) {
    return scope::gnu_hash(f.strings.data() + s.st_name) % bucket_count;
  };
  std::stable_sort(hashed.begin(), hashed.end(),
                   [&](const auto& a, const auto& b) { return bucket(a.first) < bucket(b.first); });
  f.buckets.assign(bucket_count, 0);
  f.bloom.assign(2, 0);
  for (std::uint32_t i = first; i < end; ++i) {
    f.symbols[i] = hashed[i - first].first;
    f.versym[i] = hashed[i - first].second;
    std::uint32_t h = scope::gnu_hash(f.name(i));
    f.bloom[h / 64 & 1] |= std::uint64_t{1} << h % 64 | std::uint64_t{1} << (h >> 5) % 64;
    if (f.buckets[h % bucket_count] == 0) f.buckets[h % bucket_count] = i;
    bool last = i + 1 == end || bucket(hashed[i + 1 - first].first) != h % bucket_count;
    f.chain.push_back((h & ~1u) | (last ? 1 : 0));
  }
  f.module.image.gnu_hash = {.bucket_count = bucket_count,
                             .first = first,
                             .limit = end,
                             .bloom_mask = 1,
                             .bloom_shift = 5,
                             .bloom = f.bloom.data(),
                             .buckets = f.buckets.data(),
                             .chain = f.chain.data()};
}

inline void hash_gnu(Fake& f, std::uint32_t first) {
  auto end = static_cast<std::uint32_t>(f.symbols.size());
  hash_gnu(f, first, first == end ? 1 : (end - first + 1) / 2);
}

inline void hash_sysv(Fake& f, std::uint32_t bucket_count = 3) {
  auto end = static_cast<std::uint32_t>(f.symbols.size());
  // One array: the chains lie behind the buckets.
  f.buckets.assign(bucket_count + end, 0);
  for (std::uint32_t i = end; i-- > 1;) {
    std::uint32_t& bucket = f.buckets[scope::sysv_hash(f.name(i)) % bucket_count];
    f.buckets[bucket_count + i] = bucket;
    bucket = i;
  }
  f.module.image.sysv_hash = {
      .bucket_count = bucket_count, .chain_count = end, .buckets = f.buckets.data()};
}

/// `add_more(fake, add)` may add symbols to those that are defined, each with add(symbol).
template <class AddMore>
std::unique_ptr<Fake> make_module(Random& r, load::Namespace& ns, AddMore add_more) {
  auto f = std::make_unique<Fake>();
  f->module.ns = &ns;
  bool versioned = !r.one_in(3);
  if (versioned) add_versions(*f, r);
  auto add = [&](const Sym& symbol) {
    bool defined = symbol.st_shndx != SHN_UNDEF;
    f->symbols.push_back(symbol);
    std::uint16_t v = r.one_in(3) ? 1 : static_cast<std::uint16_t>((defined ? 2 : 5) + r.below(3));
    if (defined && v > 1 && r.one_in(3)) v |= elf::kVersionHidden;
    f->versym.push_back(v);
  };
  for (std::uint32_t n = r.below(12); n > 0; --n) add(some_symbol(*f, r, false));
  auto first = static_cast<std::uint32_t>(f->symbols.size());
  if (!r.one_in(6))
    for (std::uint32_t n = r.below(12); n > 0; --n) add(some_symbol(*f, r, true));
  add_more(*f, add);
  Table table = r.one_in(5) ? Table::sysv : r.one_in(12) ? Table::none : Table::gnu;
  // GNU ld gives an empty table the first undefined symbol's number.
  if (table == Table::gnu) {
    if (first == f->symbols.size() && first > 1) {
      hash_gnu(*f, first);
      f->module.image.gnu_hash.first = 1;
      f->buckets[0] = 0;
      f->chain.assign(first, 0xffffffff);
      f->module.image.gnu_hash.chain = f->chain.data();
    } else {
      hash_gnu(*f, first);
    }
  }
  if (table == Table::sysv) hash_sysv(*f);
  elf::Image& image = f->module.image;
  image.strings = {f->strings.data(), f->strings.size()};
  image.symbols = f->symbols.data();
  image.symbol_limit = static_cast<std::uint32_t>(f->symbols.size());
  image.versym = versioned ? f->versym.data() : nullptr;
  // Some definitions lie outside.
  image.segments.end = LinkAddr{0x1000 + 950 * 16};
  image.bias = LoadBias{0x7f0000000000 + (std::uint64_t{r.below(1000)} << 20)};
  return f;
}

}  // namespace myld::generated
