// The names in a directory.
#pragma once
#include "loader/base/mem.hpp"
#include "loader/sys/calls.hpp"

namespace myld::sys {

/// Calls visit(name) for every name in the directory `path`, in the order that the kernel gives. A
/// directory that cannot be read has none. Source: getdents64(2).
template <class Visit>
void each_entry(const char* path, Visit visit) {
  long fd = open_for_reading(path);
  if (fd < 0) return;
  alignas(8) char buffer[8192];
  constexpr std::size_t kLengthAt = 16, kNameAt = 19;
  for (;;) {
    long got = read_directory(static_cast<int>(fd), buffer, sizeof buffer);
    if (got <= 0) break;
    for (long at = 0; at < got;) {
      std::uint16_t length;
      memcpy(&length, buffer + at + kLengthAt, sizeof length);
      visit(static_cast<const char*>(buffer + at + kNameAt));
      at += length;
    }
  }
  close(static_cast<int>(fd));
}

}  // namespace myld::sys
