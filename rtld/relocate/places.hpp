// Where a module's relocations may store: the writable segments, but for the tables that the loader
// goes on reading.
#pragma once
#include "loader/load/module.hpp"

#include <utility>

namespace myld::relocate {

using load::Module;

class Places {
public:
  explicit Places(const Module& module) : module_(module) {}

  /// To be called before anything is asked for, and when `text_too` changes: segments that are not
  /// writable by themselves count as well, for text relocations. Errors: out_of_memory.
  Status find(bool text_too);
  /// May so many bytes at a link address be stored to?
  bool allow(std::uint64_t offset, std::uint64_t bytes);
  /// A word whose link address is less than room() behind start() is in the window that the last
  /// place was in: what is asked half a million times costs one comparison. 0: there is none.
  std::uint64_t start() const { return window_start_; }
  std::uint64_t room() const { return window_room_; }

private:
  bool in_window(std::uint64_t offset, std::uint64_t bytes) const {
    return offset >= window_start_ && offset + bytes <= window_end_ && offset + bytes > offset;
  }
  /// allow() of what is not in the window.
  bool look(std::uint64_t offset, std::uint64_t bytes);
  void set_room() {
    window_room_ = window_end_ < window_start_ + 8 ? 0 : window_end_ - window_start_ - 7;
  }

  const Module& module_;
  Vec<elf::Image::Range> windows_;  ///< ascending link addresses
  std::uint64_t window_start_ = 1, window_end_ = 0, window_room_ = 0;
  std::uint64_t other_start_ = 1, other_end_ = 0;  ///< the window before this one
};

inline Status Places::find(bool text_too) {
  windows_.clear();
  window_start_ = 1;
  window_end_ = 0;
  window_room_ = 0;
  other_start_ = 1;
  other_end_ = 0;
  elf::Image::Range tables[elf::Image::kMetadataRanges];
  std::size_t count = module_.image.metadata(tables);
  for (const elf::Phdr& p : module_.image.segments.phdrs) {
    if (p.p_type != PT_LOAD) continue;
    if ((p.p_flags & PF_W) == 0 && !text_too) continue;
    std::uint64_t at = p.p_vaddr, end = p.p_vaddr + p.p_memsz;
    while (at < end) {
      // Up to the next table, and on behind it.
      std::uint64_t stop = end, resume = end;
      for (std::size_t i = 0; i < count; ++i)
        if (tables[i].end > at && tables[i].start < stop) {
          stop = tables[i].start > at ? tables[i].start : at;
          resume = tables[i].end;
        }
      if (stop > at && !windows_.push({at, stop}))
        return Error{.code = Code::out_of_memory, .object = module_.display};
      at = resume;
    }
  }
  return {};
}

inline bool Places::allow(std::uint64_t offset, std::uint64_t bytes) {
  return in_window(offset, bytes) || look(offset, bytes);
}

[[gnu::noinline]] inline bool Places::look(std::uint64_t offset, std::uint64_t bytes) {
  // Symbols in the order of a table of theirs have words in .data.rel.ro and .got by turns.
  std::swap(window_start_, other_start_);
  std::swap(window_end_, other_end_);
  set_room();
  if (in_window(offset, bytes)) return true;
  std::size_t low = 0, high = windows_.size();  // the first window that ends behind the place
  while (low < high) {
    std::size_t middle = low + (high - low) / 2;
    if (windows_[middle].end <= offset)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == windows_.size() || windows_[low].start > offset || bytes > windows_[low].end - offset)
    return false;
  window_start_ = windows_[low].start;
  window_end_ = windows_[low].end;
  set_room();
  return true;
}

}  // namespace myld::relocate
