// A file in memory.
#pragma once
#include "loader/heap/scratch.hpp"

#include <cstdint>
#include <span>

namespace myld::binding {

/// Given back with the object.
class Bytes {
public:
  constexpr Bytes() = default;
  ~Bytes() { heap::release_scratch(data_, size_); }
  Bytes(const Bytes&) = delete;
  Bytes& operator=(const Bytes&) = delete;
  /// Zeros. Once. False: no memory.
  bool allocate(std::size_t bytes) {
    data_ = static_cast<std::uint8_t*>(heap::allocate_scratch(bytes));
    size_ = data_ == nullptr ? 0 : bytes;
    return data_ != nullptr;
  }
  std::uint8_t* data() { return data_; }
  std::span<const std::uint8_t> span() const { return {data_, size_}; }

private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace myld::binding
