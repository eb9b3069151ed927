// A file's bytes put together in memory as map::map_segments() does it with mmap: the parsers and
// the relocator then see what they see in a process, and the sanitizer sees what is between the
// segments.
#pragma once
#include "loader/elf/image.hpp"
#include "loader/map/mapping.hpp"
#include "tests/fuzz/input.hpp"

#include <memory>
#include <vector>

namespace myld::fuzz {

inline constexpr std::uint64_t kPage = 4096;

class HeapImage {
public:
  /// Null: the headers are refused, or it would be too large.
  static std::unique_ptr<HeapImage> make(std::span<const std::uint8_t> file);
  ~HeapImage();
  HeapImage(const HeapImage&) = delete;
  HeapImage& operator=(const HeapImage&) = delete;

  LoadBias bias() const { return bias_; }
  const elf::Ehdr& header() const { return header_; }
  const elf::Segments& segments() const { return segments_; }

  /// Does every byte that no segment lets be written still have the value that it had when
  /// remember() was called?
  bool read_only_parts_are_unchanged() const;
  void remember();

private:
  HeapImage() = default;
  void put(const map::Step& step, std::span<const std::uint8_t> file);
  void poison_gaps();

  elf::Ehdr header_{};
  std::unique_ptr<elf::Phdr[]> phdrs_;
  elf::Segments segments_;
  LoadBias bias_;
  std::uint8_t* memory_ = nullptr;
  std::size_t bytes_ = 0;
  std::vector<std::uint8_t> before_;
};

}  // namespace myld::fuzz
