// From the program headers of a module to what its pages in an image are.
#pragma once
#include "loader/binding/format.hpp"
#include "loader/elf/headers.hpp"
#include "loader/heap/vec.hpp"

namespace myld::binding {

/// Link addresses.
struct StoredRange {
  std::uint64_t at, bytes;
};

/// Can the memory of a module with these headers lie ready? Not where a segment cannot be read, or
/// is writable and executable.
bool can_lie_ready(const elf::Segments& segments);

/// The pages of a module, one by one, as the ordinary way of mapping and relocating leaves them.
/// Pure.
class PageStates {
public:
  /// False: no memory.
  bool make(const elf::Segments& segments, std::uint64_t page_size);
  /// Calls visit(from, to) with the link addresses of pages that come from the file, in order.
  template <class Visit>
  void each_in_file(Visit visit) const {
    for (std::size_t i = 0; i < pages_.size();) {
      std::size_t from = i;
      while (i < pages_.size() && pages_[i].in_file) ++i;
      if (i != from) visit(address(from), address(i));
      while (i < pages_.size() && !pages_[i].in_file) ++i;
    }
  }
  /// Pages of RELRO that something is stored to stay writable until then.
  void open(std::span<const StoredRange> stored);
  /// Small parts of zeros become part of the file: a mapping of their own costs more.
  void join_small();
  /// Appends the areas that are not just readable; `offset`: of the module in the image. False: no
  /// memory.
  bool append(std::uint64_t offset, Vec<AreaRecord>& out) const;

private:
  struct State {
    std::uint8_t prot;
    bool in_file, until_relocated, anonymous;
    bool operator==(const State&) const = default;
  };
  std::uint64_t address(std::size_t page) const { return start_ + page * page_size_; }
  /// Calls visit(State&) for the pages of [from, to).
  template <class Visit>
  void each(std::uint64_t from, std::uint64_t to, Visit visit) {
    std::uint64_t first = (from - start_) / page_size_,
                  last = (round_up(to, page_size_) - start_) / page_size_;
    for (std::uint64_t i = first; i < last && i < pages_.size(); ++i) visit(pages_[i]);
  }
  void close_relro(const elf::Segments& segments);

  Vec<State> pages_;
  std::uint64_t start_ = 0, page_size_ = 0;
  std::uint64_t relro_start_ = 0, relro_end_ = 0;
};

}  // namespace myld::binding
