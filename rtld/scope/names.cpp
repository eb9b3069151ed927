#include "rtld/scope/names.hpp"

namespace myld::scope {
namespace {

// clang takes these attributes from the declaration, not from the type.
using Word [[gnu::may_alias, gnu::aligned(1)]] = std::uint64_t;

constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;

// Words are read that reach over the end of a string, but never into another page: what is behind
// the end is there, and is not looked at.
constexpr std::uintptr_t kLeastPage = 4096;

bool word_is_in_page(const char* p) {
  return (reinterpret_cast<std::uintptr_t>(p) & (kLeastPage - 1)) <= kLeastPage - sizeof(Word);
}

/// The high bit of every zero byte up to the first one that is set is right: that is enough.
std::uint64_t zero_bytes(std::uint64_t w) { return (w - kOnes) & ~w & kHighs; }

/// Eight steps of the hash from 0. Neighbours are joined: bytes to pairs, pairs to fours. No lane
/// overflows: 255 * 34 < 2^16, that * 1090 < 2^32.
std::uint32_t eight_steps(std::uint64_t w) {
  constexpr std::uint64_t kBytes = 0x00ff00ff00ff00ff, kPairs = 0x0000ffff0000ffff;
  std::uint64_t pairs = (w & kBytes) * 33 + (w >> 8 & kBytes);
  std::uint64_t fours = (pairs & kPairs) * (33 * 33) + (pairs >> 16 & kPairs);
  return static_cast<std::uint32_t>(fours) * (33u * 33 * 33 * 33) +
         static_cast<std::uint32_t>(fours >> 32);
}

constexpr std::uint32_t power_of_33(int n) { return n == 0 ? 1 : 33 * power_of_33(n - 1); }

}  // namespace

__attribute__((no_sanitize("address"))) std::uint32_t hash_of_name(const char* name) {
  std::uint32_t h = 5381;
  for (;;) {
    if (word_is_in_page(name)) {
      std::uint64_t w = *reinterpret_cast<const Word*>(name);
      if (zero_bytes(w) == 0) {
        h = h * power_of_33(8) + eight_steps(w);
        name += sizeof(Word);
        continue;
      }
      for (; *name != 0; ++name) h = h * 33 + static_cast<unsigned char>(*name);
      return h;
    }
    if (*name == 0) return h;
    h = h * 33 + static_cast<unsigned char>(*name++);
  }
}

__attribute__((no_sanitize("address"))) bool same_name(const char* a, const char* b) {
  if (a == b) return true;
  for (;;) {
    if (word_is_in_page(a) && word_is_in_page(b)) {
      std::uint64_t x = *reinterpret_cast<const Word*>(a), y = *reinterpret_cast<const Word*>(b);
      std::uint64_t end = zero_bytes(x), difference = x ^ y;
      if (difference != 0)
        return end != 0 && __builtin_ctzl(end) / 8 < __builtin_ctzl(difference) / 8;
      if (end != 0) return true;
      a += sizeof(Word);
      b += sizeof(Word);
      continue;
    }
    if (*a != *b) return false;
    if (*a == 0) return true;
    ++a;
    ++b;
  }
}

}  // namespace myld::scope
