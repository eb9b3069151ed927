// The memory and string functions that the compiler may call and the loader uses.
#pragma once
#include <cstddef>

extern "C" {
void* memcpy(void* __restrict to, const void* __restrict from, std::size_t n) noexcept;
void* memmove(void* to, const void* from, std::size_t n) noexcept;
void* memset(void* to, int byte, std::size_t n) noexcept;
int memcmp(const void* a, const void* b, std::size_t n) noexcept;
std::size_t strlen(const char* s) noexcept;
}

namespace myld {

[[gnu::always_inline]] inline bool equal(const char* a, const char* b) {
  while (*a == *b) {
    if (*a == 0) return true;
    ++a;
    ++b;
  }
  return false;
}

/// First `c` in `s`, or nullptr.
inline const char* find_char(const char* s, char c) {
  for (; *s != 0; ++s)
    if (*s == c) return s;
  return nullptr;
}

}  // namespace myld
