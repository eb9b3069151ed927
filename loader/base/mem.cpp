// Plain word-wise loops: general registers only, because lazy binding and the TLS paths call them
// with the program's vector arguments live.
#include "loader/base/mem.hpp"

#include <cstdint>

namespace {
using Word [[gnu::may_alias, gnu::aligned(1)]] = std::uint64_t;
}

extern "C" {

[[gnu::visibility("hidden")]] void*
memcpy(void* __restrict to, const void* __restrict from, std::size_t n) noexcept {
  auto* t = static_cast<unsigned char*>(to);
  const auto* f = static_cast<const unsigned char*>(from);
  for (; n >= 32; n -= 32, t += 32, f += 32) {
    const auto* fw = reinterpret_cast<const Word*>(f);
    auto* tw = reinterpret_cast<Word*>(t);
    std::uint64_t a = fw[0], b = fw[1], c = fw[2], d = fw[3];
    tw[0] = a;
    tw[1] = b;
    tw[2] = c;
    tw[3] = d;
  }
  for (; n >= 8; n -= 8, t += 8, f += 8)
    *reinterpret_cast<Word*>(t) = *reinterpret_cast<const Word*>(f);
  for (; n != 0; --n) *t++ = *f++;
  return to;
}

[[gnu::visibility("hidden")]] void* memmove(void* to, const void* from, std::size_t n) noexcept {
  auto* t = static_cast<unsigned char*>(to);
  const auto* f = static_cast<const unsigned char*>(from);
  if (reinterpret_cast<std::uintptr_t>(t) - reinterpret_cast<std::uintptr_t>(f) >= n) {
    for (; n >= 8; n -= 8, t += 8, f += 8)
      *reinterpret_cast<Word*>(t) = *reinterpret_cast<const Word*>(f);
    for (; n != 0; --n) *t++ = *f++;
  } else {
    while (n != 0) {
      --n;
      t[n] = f[n];
    }
  }
  return to;
}

[[gnu::visibility("hidden")]] void* memset(void* to, int byte, std::size_t n) noexcept {
  auto* t = static_cast<unsigned char*>(to);
  std::uint64_t word = static_cast<unsigned char>(byte) * 0x0101010101010101u;
  for (; n >= 64; n -= 64, t += 64) {
    auto* tw = reinterpret_cast<Word*>(t);
    tw[0] = tw[1] = tw[2] = tw[3] = word;
    tw[4] = tw[5] = tw[6] = tw[7] = word;
  }
  for (; n >= 8; n -= 8, t += 8) *reinterpret_cast<Word*>(t) = word;
  for (; n != 0; --n) *t++ = static_cast<unsigned char>(byte);
  return to;
}

[[gnu::visibility("hidden")]] int memcmp(const void* a, const void* b, std::size_t n) noexcept {
  const auto* x = static_cast<const unsigned char*>(a);
  const auto* y = static_cast<const unsigned char*>(b);
  for (; n != 0; --n, ++x, ++y)
    if (*x != *y) return *x < *y ? -1 : 1;
  return 0;
}

[[gnu::visibility("hidden")]] void* memchr(const void* in, int byte, std::size_t n) {
  const auto* p = static_cast<const unsigned char*>(in);
  for (; n != 0; --n, ++p)
    if (*p == static_cast<unsigned char>(byte)) return const_cast<unsigned char*>(p);
  return nullptr;
}

[[gnu::visibility("hidden")]] std::size_t strlen(const char* s) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  // An aligned word does not reach into another page, so what is around the string is there.
  auto address = reinterpret_cast<std::uintptr_t>(s);
  const char* at = s - (address & 7);
  std::uint64_t before = (std::uint64_t{1} << (address & 7) * 8) - 1;  // bytes that are not its own
  for (std::uint64_t w = *reinterpret_cast<const Word*>(at) | before;;
       w = *reinterpret_cast<const Word*>(at)) {
    // The lowest bit that is set is that of the first zero byte.
    if (std::uint64_t zeros = (w - kOnes) & ~w & kHighs; zeros != 0)
      return static_cast<std::size_t>(at - s) + static_cast<std::size_t>(__builtin_ctzl(zeros)) / 8;
    at += 8;
  }
}
}
