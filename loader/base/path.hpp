// Paths that are put together in a buffer.
#pragma once
#include "loader/base/mem.hpp"

#include <initializer_list>
#include <string_view>

namespace myld {

/// PATH_MAX: with its NUL a path is no longer, or the kernel refuses it.
inline constexpr std::size_t kPathMax = 4096;

/// Writes the parts one behind the other, and a NUL. False: they do not fit. `to` is not among
/// them.
inline bool join(char (&to)[kPathMax], std::initializer_list<std::string_view> parts) {
  std::size_t n = 0;
  for (std::string_view part : parts) {
    if (part.size() >= sizeof to - n) return false;
    memcpy(to + n, part.data(), part.size());
    n += part.size();
  }
  to[n] = 0;
  return true;
}

}  // namespace myld
