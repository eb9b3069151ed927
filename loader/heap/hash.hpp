// The hash of names, paths and file identities in tables of this process.
#pragma once
#include "loader/base/mem.hpp"

#include <cstddef>
#include <cstdint>

namespace myld {

/// What the hashes of a process differ by from those of any other: whoever writes a file cannot
/// choose names that share one. The value that it begins with is for what comes before
/// choose_hash_key(), for tests, and for hashes that are kept in files.
inline constexpr std::uint64_t kFixedHashKey = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
extern constinit std::uint64_t g_hash_key;

/// Needs: no table has anything in it. `random`: told to nobody.
inline void choose_hash_key(std::uint64_t random) { g_hash_key = random | 1; }

/// Eight bytes at a time: each is multiplied by the key, and the halves of the product are put
/// together, so that every bit depends on all of the key, the low ones by which tables go too.
inline std::uint64_t hash_bytes(const void* data, std::size_t n, std::uint64_t key) {
  std::uint64_t h = n ^ key << 32;
  const auto* p = static_cast<const unsigned char*>(data);
  auto mix = [&](std::uint64_t w) {
    auto product = static_cast<unsigned __int128>(h ^ w) * key;
    h = static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  auto word_at = [](const unsigned char* at) {
    std::uint64_t w;
    __builtin_memcpy(&w, at, sizeof w);
    return w;
  };
  if (n < sizeof(std::uint64_t)) {
    std::uint64_t all = 0;
    for (; n != 0; --n) all = all << 8 | *p++;
    mix(all);
    return h;
  }
  const unsigned char* last = p + n - sizeof(std::uint64_t);  // which may have been read in part
  for (; p < last; p += sizeof(std::uint64_t)) mix(word_at(p));
  mix(word_at(last));
  return h;
}
inline std::uint64_t hash_bytes(const void* data, std::size_t n) {
  return hash_bytes(data, n, g_hash_key);
}
inline std::uint64_t hash_string(const char* s) { return hash_bytes(s, strlen(s)); }

}  // namespace myld
