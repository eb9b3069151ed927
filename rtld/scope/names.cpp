#include "rtld/scope/names.hpp"

namespace myld::scope {
namespace {

// clang takes these attributes from the declaration, not from the type.
using Word [[gnu::may_alias, gnu::aligned(1)]] = std::uint64_t;

constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;

// Words are read that reach over the end of a string, but never into another page: what is behind
// the end is there, and is not looked at.
constexpr std::uintptr_t kLeastPage = 4096;

/// How many bytes there are from `p` to the end of its page, of whole words.
std::size_t bytes_in_page(const char* p) {
  return (kLeastPage - (reinterpret_cast<std::uintptr_t>(p) & (kLeastPage - 1))) & -sizeof(Word);
}

__attribute__((no_sanitize("address"))) std::uint64_t word_at(const char* p) {
  return *reinterpret_cast<const Word*>(p);
}

/// Never false where a byte is zero; nor true, in two steps less, where all are ASCII and none is.
bool may_have_zero(std::uint64_t w) { return ((w - kOnes) & kHighs) != 0; }

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

constexpr std::uint32_t kPowersOf33[] = {1,
                                         33,
                                         33 * 33,
                                         33 * 33 * 33,
                                         33u * 33 * 33 * 33,
                                         33u * 33 * 33 * 33 * 33,
                                         33u * 33 * 33 * 33 * 33 * 33,
                                         33u * 33 * 33 * 33 * 33 * 33 * 33,
                                         33u * 33 * 33 * 33 * 33 * 33 * 33 * 33};

}  // namespace

__attribute__((no_sanitize("address"))) std::uint32_t hash_of_name(const char* name) {
  std::uint32_t h = 5381;
  for (;;) {
    for (const char* end = name + bytes_in_page(name); name != end; name += sizeof(Word)) {
      std::uint64_t w = word_at(name);
      if (may_have_zero(w))
        if (std::uint64_t zeros = zero_bytes(w); zeros != 0) {
          // The rest comes to stand at the end of a word that begins with zeros, which add nothing.
          int rest = __builtin_ctzl(zeros) / 8;
          return rest == 0 ? h : h * kPowersOf33[rest] + eight_steps(w << (64 - 8 * rest));
        }
      h = h * kPowersOf33[8] + eight_steps(w);
    }
    for (std::size_t i = 0; i < sizeof(Word); ++i) {  // over the end of the page
      if (*name == 0) return h;
      h = h * 33 + static_cast<unsigned char>(*name++);
    }
  }
}

__attribute__((no_sanitize("address"))) bool same_name(const char* a, const char* b) {
  if (a == b) return true;
  for (;;) {
    std::size_t bytes = bytes_in_page(a), in_b = bytes_in_page(b);
    if (in_b < bytes) bytes = in_b;
    for (const char* stop = a + bytes; a != stop; a += sizeof(Word), b += sizeof(Word)) {
      std::uint64_t x = word_at(a), y = word_at(b);
      if (x != y) {
        std::uint64_t end = zero_bytes(x);
        return end != 0 && __builtin_ctzl(end) / 8 < __builtin_ctzl(x ^ y) / 8;
      }
      if (may_have_zero(x) && zero_bytes(x) != 0) return true;
    }
    for (std::size_t i = 0; i < sizeof(Word); ++i, ++a, ++b) {  // over the end of a page
      if (*a != *b) return false;
      if (*a == 0) return true;
    }
  }
}

}  // namespace myld::scope
