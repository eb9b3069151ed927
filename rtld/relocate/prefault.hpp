// Pages that relocation is going to write, brought in before it does.
//
// Each page of a library's data that is written first costs a fault and a copy. Where relative
// relocations lie close together the pages are asked for in one go, which costs two thirds of that.
#pragma once
#include "loader/elf/image.hpp"
#include "loader/map/mapping.hpp"

namespace myld::relocate {

/// Link addresses, whole pages.
struct Extent {
  std::uint64_t start, end;
};

/// Calls visit(Extent) for every run of two pages or more that relative relocations of `image` lie
/// close together in, with what is left of RELRO at its ends. Pure, and a guess: the relocations
/// are taken to be in ascending order, as linkers sort them, and only every 32nd is looked at.
/// Extents are inside writable segments, whatever the relocations say.
template <class Visit>
void each_dense_extent(const elf::Image& image, std::uint64_t page_size, Visit visit);

/// Asks the system for those pages, where it can be asked (Linux 5.14).
void prefault(const elf::Image& image, std::uint64_t page_size);

// ---- Implementation
// ------------------------------------------------------------------------------

/// Grows an extent and hands it over when something does not join.
template <class Visit>
class ExtentBuilder {
public:
  ExtentBuilder(const elf::Image& image, std::uint64_t page_size, Visit& visit)
      : image_(image), page_size_(page_size), visit_(visit) {}
  ~ExtentBuilder() { finish(); }
  ExtentBuilder(const ExtentBuilder&) = delete;
  ExtentBuilder& operator=(const ExtentBuilder&) = delete;

  void add(std::uint64_t from, std::uint64_t to) {
    if (end_ != 0 && from >= start_ && from <= end_) {
      if (to > end_) end_ = to;
      return;
    }
    finish();
    start_ = from;
    end_ = to;
  }

private:
  void finish() {
    if (end_ <= start_) return;
    std::uint64_t from = round_down(start_, page_size_), to = round_up(end_, page_size_);
    start_ = end_ = 0;
    const elf::Phdr* load = image_.segments.find_in_file({from}, 1);
    if (load == nullptr) load = image_.segments.find_in_file({to - page_size_}, 1);
    if (load == nullptr || (load->p_flags & PF_W) == 0) return;
    if (const elf::Phdr* relro = image_.segments.relro; relro != nullptr) {
      std::uint64_t first = round_down(relro->p_vaddr, page_size_),
                    last = round_down(relro->p_vaddr + relro->p_memsz, page_size_);
      if (from >= first && from < last && from - first < kNear) from = first;
      if (to > first && to < last && last - to < kNear) to = last;
    }
    std::uint64_t first = round_down(load->p_vaddr, page_size_),
                  last = round_up(load->p_vaddr + load->p_filesz, page_size_);
    if (from < first) from = first;
    if (to > last) to = last;
    // What mapping has brought in.
    map::WrittenPart there = map::plan_written(*load, image_.segments, page_size_);
    if (from - there.at.value < there.bytes) from = there.at.value + there.bytes;
    if (to > from && to - from >= 2 * page_size_) visit_(Extent{from, to});
  }
  static constexpr std::uint64_t kNear = 16 * 4096;

  const elf::Image& image_;
  std::uint64_t page_size_;
  Visit& visit_;
  std::uint64_t start_ = 0, end_ = 0;
};

template <class Visit>
void each_dense_extent(const elf::Image& image, std::uint64_t page_size, Visit visit) {
  constexpr std::size_t kStep = 32;
  constexpr std::uint64_t kClose = kStep * 256;  // bytes: 16 relocations in 4 KiB
  ExtentBuilder<Visit> extents(image, page_size, visit);
  std::size_t count =
      image.rela.size() < image.relative_count ? image.rela.size() : image.relative_count;
  for (std::size_t i = 0; i + kStep < count; i += kStep) {
    std::uint64_t from = image.rela[i].r_offset, to = image.rela[i + kStep].r_offset;
    if (to - from <= kClose) extents.add(from, to + 8);
  }
  // A bitmap stands for 63 words; where they follow each other most of the words are addresses.
  std::uint64_t next = 0;
  for (elf::Relr entry : image.relr) {
    if ((entry & 1) == 0) {
      next = entry + 8;
    } else {
      extents.add(next, next + 63 * 8);
      next += 63 * 8;
    }
  }
}

}  // namespace myld::relocate
