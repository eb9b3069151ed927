// A growing array on the loader's heap, for trivially copyable elements. Growth may fail: every
// function that grows says so, and nothing changes when it does.
#pragma once
#include "loader/base/mem.hpp"
#include "loader/heap/heap.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace myld {

template <class T>
class Vec {
  static_assert(std::is_trivially_copyable_v<T>);

public:
  constexpr Vec() = default;
  Vec(const Vec&) = delete;
  Vec& operator=(const Vec&) = delete;
  Vec(Vec&& other) noexcept : data_(other.data_), size_(other.size_), capacity_(other.capacity_) {
    other.data_ = nullptr;
    other.size_ = other.capacity_ = 0;
  }
  Vec& operator=(Vec&& other) noexcept {
    if (this != &other) {
      heap::release(data_, capacity_ * sizeof(T));
      data_ = other.data_;
      size_ = other.size_;
      capacity_ = other.capacity_;
      other.data_ = nullptr;
      other.size_ = other.capacity_ = 0;
    }
    return *this;
  }
  ~Vec() { heap::release(data_, capacity_ * sizeof(T)); }

  [[nodiscard]] bool reserve(std::size_t n) {
    if (n <= capacity_) return true;
    std::size_t capacity = capacity_ == 0 ? 4 : capacity_ * 2;
    if (capacity < n) capacity = n;
    if (data_ != nullptr && heap::extend(data_, capacity_ * sizeof(T), capacity * sizeof(T))) {
      capacity_ = static_cast<std::uint32_t>(capacity);
      return true;
    }
    auto* data = static_cast<T*>(heap::allocate_unfilled(capacity * sizeof(T)));
    if (data == nullptr) return false;
    if (size_ != 0) memcpy(static_cast<void*>(data), data_, size_ * sizeof(T));
    heap::release(data_, capacity_ * sizeof(T));
    data_ = data;
    capacity_ = static_cast<std::uint32_t>(capacity);
    return true;
  }
  [[nodiscard]] bool push(const T& value) {
    T copy = value;
    if (size_ == capacity_ && !reserve(size_ + 1)) return false;
    data_[size_++] = copy;
    return true;
  }
  /// Appends where reserve() has made room before.
  void push_reserved(const T& value) { data_[size_++] = value; }
  void pop() { --size_; }
  void truncate(std::size_t n) { size_ = static_cast<std::uint32_t>(n); }
  void erase(std::size_t i) {
    for (; i + 1 < size_; ++i) data_[i] = data_[i + 1];
    --size_;
  }
  void clear() { size_ = 0; }
  /// Gives memory back when what is left fills little of it. Without memory nothing changes.
  void shrink() {
    constexpr std::size_t kKeptBytes = 8192;
    if (capacity_ * sizeof(T) <= kKeptBytes || size_ * 8 > capacity_) return;
    Vec smaller;
    if (!smaller.reserve(size_ * 2)) return;
    for (const T& each : *this) smaller.push_reserved(each);
    *this = static_cast<Vec&&>(smaller);
  }

  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T* data() { return data_; }
  T& back() { return data_[size_ - 1]; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool contains(const T& value) const {
    for (const T& each : *this)
      if (each == value) return true;
    return false;
  }
  std::span<const T> span() const { return {data_, size_}; }

private:
  T* data_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
};

/// A NUL-terminated copy of `text` on the heap, or nullptr. Freed by release_string().
inline char* copy_string(const char* text, std::size_t length) {
  auto* copy = static_cast<char*>(heap::allocate_unfilled(length + 1));
  if (copy != nullptr) {
    memcpy(copy, text, length);
    copy[length] = 0;
  }
  return copy;
}
inline char* copy_string(const char* text) { return copy_string(text, strlen(text)); }
inline void release_string(const char* text) {
  if (text != nullptr) heap::release(const_cast<char*>(text), strlen(text) + 1);
}

}  // namespace myld
