// Lines for people that are not errors: lists, traces, help. Put together in a fixed buffer and
// written with one system call where they fit.
#pragma once
#include "loader/base/mem.hpp"
#include "loader/sys/calls.hpp"

#include <cstdint>
#include <string_view>

namespace myld::sys {

/// A number as "0x" and at least `digits` hexadecimal digits.
struct Hex {
  std::uint64_t value;
  unsigned digits = 1;
};
/// The same without "0x".
struct BareHex {
  std::uint64_t value;
  unsigned digits = 1;
};
/// A number in decimal, right-aligned in `width` characters.
struct Decimal {
  std::uint64_t value;
  unsigned width = 1;
};

class Text {
public:
  explicit Text(int fd) : fd_(fd) {}
  ~Text() { flush(); }
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;

  Text& operator<<(std::string_view s) {
    for (char c : s) *this << c;
    return *this;
  }
  Text& operator<<(const char* s) { return *this << std::string_view(s, strlen(s)); }
  Text& operator<<(char c) {
    if (used_ == sizeof buffer_) flush();
    buffer_[used_++] = c;
    return *this;
  }
  Text& operator<<(Hex h) {
    *this << "0x";
    return digits(h.value, 16, h.digits, '0');
  }
  Text& operator<<(BareHex h) { return digits(h.value, 16, h.digits, '0'); }
  Text& operator<<(Decimal d) { return digits(d.value, 10, d.width, ' '); }

  void flush() {
    write_all(fd_, buffer_, used_);
    used_ = 0;
  }

private:
  Text& digits(std::uint64_t value, unsigned base, unsigned width, char fill) {
    char text[20];
    unsigned n = 0;
    do text[n++] = "0123456789abcdef"[value % base];
    while ((value /= base) != 0);
    for (unsigned i = n; i < width; ++i) *this << fill;
    while (n != 0) *this << text[--n];
    return *this;
  }

  int fd_;
  std::size_t used_ = 0;
  char buffer_[1024];
};

}  // namespace myld::sys
