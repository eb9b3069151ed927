// Access to a libc structure whose members are known by offset only.
#pragma once
#include "loader/base/mem.hpp"
#include "rtld/glibc/layout.hpp"

#include <cstddef>

namespace myld::glibc {

class Record {
public:
  explicit Record(void* base) : base_(static_cast<std::byte*>(base)) {}

  /// Stores `value` if this build has the member.
  template <class T>
  void put(Offset at, const T& value) const {
    if (at != kAbsent) memcpy(base_ + at, &value, sizeof(T));
  }
  template <class T>
  T get(Offset at, T otherwise = {}) const {
    T value = otherwise;
    if (at != kAbsent) memcpy(&value, base_ + at, sizeof(T));
    return value;
  }
  void put(const Bits& bits, unsigned value) const {
    if (bits.byte == kAbsent) return;
    auto& byte = reinterpret_cast<unsigned char&>(base_[bits.byte]);
    unsigned mask = ((1u << bits.width) - 1) << bits.bit;
    byte = static_cast<unsigned char>((byte & ~mask) | ((value << bits.bit) & mask));
  }
  void* at(Offset offset) const { return offset == kAbsent ? nullptr : base_ + offset; }

private:
  std::byte* base_;
};

}  // namespace myld::glibc
