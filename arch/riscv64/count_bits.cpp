// What the compiler calls where other ISAs have an instruction: rv64gc counts no bits. They are
// libgcc's otherwise, and the loader links with no library. Source: GCC internals, "Integer library
// routines".
#include <cstdint>

extern "C" {

/// Leading zero bits; undefined for 0.
[[gnu::visibility("hidden")]] int __clzdi2(std::uint64_t x) {
  int zeros = 0;
  for (int half = 32; half != 0; half /= 2) {
    if (x >> (64 - half) == 0) {
      zeros += half;
      x <<= half;
    }
  }
  return zeros;
}

/// Trailing zero bits; undefined for 0.
[[gnu::visibility("hidden")]] int __ctzdi2(std::uint64_t x) {
  int zeros = 0;
  for (int half = 32; half != 0; half /= 2) {
    if (x << (64 - half) == 0) {
      zeros += half;
      x >>= half;
    }
  }
  return zeros;
}
}
