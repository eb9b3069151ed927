// Four kinds of number that a loader must not confuse, as four types.
#pragma once
#include <compare>
#include <cstddef>
#include <cstdint>

namespace myld {

/// Bytes from the start of a file.
struct FileOffset {
  std::uint64_t value = 0;
  auto operator<=>(const FileOffset&) const = default;
};

/// An address as the file states it: p_vaddr, st_value, r_offset. Bytes.
struct LinkAddr {
  std::uint64_t value = 0;
  auto operator<=>(const LinkAddr&) const = default;
  constexpr LinkAddr operator+(std::uint64_t n) const { return {value + n}; }
};

/// An address in this process. Bytes.
struct RunAddr {
  std::uintptr_t value = 0;
  auto operator<=>(const RunAddr&) const = default;
  constexpr RunAddr operator+(std::uint64_t n) const { return {value + n}; }
  template <class T>
  T* as() const {
    return reinterpret_cast<T*>(value);
  }
  static RunAddr of(const void* p) { return {reinterpret_cast<std::uintptr_t>(p)}; }
};

/// What is added to a link address to get the run address. Modulo 2^64.
struct LoadBias {
  std::uintptr_t value = 0;
  auto operator<=>(const LoadBias&) const = default;
};

constexpr RunAddr operator+(LoadBias bias, LinkAddr at) { return {bias.value + at.value}; }
constexpr LinkAddr operator-(RunAddr at, LoadBias bias) { return {at.value - bias.value}; }

constexpr std::uint64_t round_down(std::uint64_t n, std::uint64_t power_of_two) {
  return n & ~(power_of_two - 1);
}
constexpr std::uint64_t round_up(std::uint64_t n, std::uint64_t power_of_two) {
  return (n + power_of_two - 1) & ~(power_of_two - 1);
}
constexpr bool is_power_of_two(std::uint64_t n) { return n != 0 && (n & (n - 1)) == 0; }

}  // namespace myld
