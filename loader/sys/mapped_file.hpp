// A file's content.
#pragma once
#include "loader/sys/calls.hpp"

#include <string_view>

namespace myld::sys {

/// A whole file, mapped for reading; empty if there is none.
class MappedFile {
public:
  explicit MappedFile(const char* path) {
    long fd = open_for_reading(path);
    if (fd < 0) return;
    Stat st;
    if (fstat(static_cast<int>(fd), &st) == 0 && is_regular(st) && st.st_size > 0) {
      auto bytes = static_cast<std::size_t>(st.st_size);
      long at = map(nullptr, bytes, kProtRead, kMapPrivate, static_cast<int>(fd), 0);
      if (at >= 0) text_ = {reinterpret_cast<const char*>(at), bytes};
    }
    close(static_cast<int>(fd));
  }
  ~MappedFile() {
    if (!text_.empty()) unmap(text_.data(), text_.size());
  }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::string_view text() const { return text_; }

private:
  std::string_view text_;
};

}  // namespace myld::sys
