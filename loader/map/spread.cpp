#include "loader/map/spread.hpp"

#include "loader/map/huge.hpp"

namespace myld::map {
namespace {

constexpr std::uint32_t kMostSpread = 128;
/// A page at least: what runs over the end of a module finds nothing. Wider ones would take a page
/// table for each few libraries, from the process's memory and the time of its start.
constexpr std::uint64_t kPage = 4096, kGaps = 32;
/// Between the loader and the first of the others, in up to 15 steps.
constexpr std::uint64_t kLoaderStep = 1 << 20;
/// Bits that a place takes, and how many places a word of them is for: the loader's own step has
/// the four that no place uses.
constexpr unsigned kBits = 7, kPlaces = 8;

struct Spread {
  std::uint64_t key[2] = {};
  std::uint64_t random = 0;
  std::uintptr_t lowest = 0;  ///< 0: modules are not spread
  std::uint32_t count = 0;
};
constinit Spread g_spread = {};

void round_of(std::uint64_t (&v)[4]) {
  auto turn = [](std::uint64_t x, unsigned bits) { return x << bits | x >> (64 - bits); };
  v[0] += v[1];
  v[2] += v[3];
  v[1] = turn(v[1], 13) ^ v[0];
  v[3] = turn(v[3], 16) ^ v[2];
  v[0] = turn(v[0], 32);
  v[2] += v[1];
  v[0] += v[3];
  v[1] = turn(v[1], 17) ^ v[2];
  v[3] = turn(v[3], 21) ^ v[0];
  v[2] = turn(v[2], 32);
}

}  // namespace

std::uint64_t siphash(const std::uint64_t (&key)[2], std::uint64_t word) {
  std::uint64_t v[4] = {key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
                        key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573};
  for (std::uint64_t block : {word, std::uint64_t{8} << 56}) {
    v[3] ^= block;
    round_of(v);
    round_of(v);
    v[0] ^= block;
  }
  v[2] ^= 0xff;
  for (int i = 0; i < 4; ++i) round_of(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void spread(RunAddr top, const std::uint64_t (&key)[2]) {
  g_spread = {.key = {key[0], key[1]}, .lowest = top.value};
}

void stop_spreading() { g_spread.lowest = 0; }

void* suggest_place(std::uint64_t bytes) {
  Spread& s = g_spread;
  if (s.lowest == 0 || s.count >= kMostSpread) return nullptr;
  if (s.count % kPlaces == 0) s.random = siphash(s.key, s.count);
  std::uint64_t gap = kPage * (1 + s.random % kGaps);
  // The loader is not where a pointer into a library leads that is off by a mebibyte or two.
  if (s.count++ == 0) gap += kHugePage + kLoaderStep * (s.random >> 60);
  // What the page cache may hold in huge pages keeps its alignment, which the kernel would give it.
  bool large = bytes >= kHugePage;
  if (large) gap += kHugePage * (s.random / kGaps & 3);
  s.random >>= kBits;
  if (bytes > s.lowest || gap > s.lowest - bytes) return nullptr;
  std::uintptr_t at = round_down(s.lowest - bytes - gap, large ? kHugePage : kPage);
  return reinterpret_cast<void*>(at);
}

void note_place(std::uintptr_t start) {
  if (start < g_spread.lowest) g_spread.lowest = start;
}

}  // namespace myld::map
