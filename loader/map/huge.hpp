// Huge pages for what relocation writes all over.
//
// A library's RELRO part of several megabytes is written from end to end while it is relocated, and
// each page of it costs a fault and a copy. Anonymous memory in huge pages, read from the file,
// costs a fifth of that. The range is no longer backed by the file: /proc/PID/maps shows it without
// a name.
//
// And, where it is asked for, for the code of large modules, which takes fewer entries of the TLB
// then. Those are the file's own pages: the kernel has them as huge ones in the page cache, and
// maps them as such where run address and file offset agree modulo the size of one.
#pragma once
#include "loader/map/mapping.hpp"

namespace myld::map {

inline constexpr std::uint64_t kHugePage = std::uint64_t{2} << 20;

/// The part of a module that is to lie on huge pages: whole ones, inside PT_GNU_RELRO and the file.
/// bytes == 0: there is none. The run address of `at` must be a multiple of kHugePage.
struct HugePart {
  LinkAddr at;
  std::uint64_t bytes = 0;
  FileOffset offset;
};
/// Pure. Agrees with the alignment that the segments ask for, and with the place of `text`.
HugePart
plan_huge(const elf::Segments& segments, std::uint64_t page_size, const HugePart& text = {});

/// The code that is to lie on huge pages of the file: the whole ones of the executable segment that
/// has most of them. bytes == 0: none has one, or the place need not be chosen for it, since that
/// is what the alignment of the segments does. Pure.
HugePart plan_text(const elf::Segments& segments, std::uint64_t page_size);

/// What the kernel said to the wish for huge pages of code: 0 or -errno.
struct HugeAnswer {
  std::uint64_t bytes = 0;      ///< that huge pages may hold where they lie; 0: it was not asked
  std::uint64_t elsewhere = 0;  ///< that they might if it lay elsewhere
  long wish = 0;                ///< MADV_HUGEPAGE: what is read into the page cache from now on
  long now = 0;                 ///< MADV_COLLAPSE (Linux 6.1): all of it, at once
  long read = 0;                ///< MADV_POPULATE_READ, where that is refused: see below
};
/// Asks for huge pages for the code of a mapped module where its place lets it have them: for whole
/// segments, which are one mapping each as before. Needs: nothing of the file has been read but its
/// headers, since what is read of it by others, relocation above all, brings what is around it into
/// the page cache as small pages. So the code is read first, where the kernel makes no large pages
/// of small ones: those that are not in the page cache yet come as large ones. `placed`: where a
/// module is that was mapped from an image, not from its own file.
HugeAnswer ask_for_huge_text(const Mapping& mapping,
                             const elf::Segments& segments,
                             std::uint64_t page_size,
                             const Placed* placed = nullptr);

/// Does the system give huge pages to those that ask? Asks it once.
bool huge_pages_are_given();

/// Puts huge pages with the file's content over what is mapped there. Errors: cannot_map,
/// cannot_read; each names `object`.
Status fill_huge(const HugePart& part, LoadBias bias, int fd, int prot, const char* object);

}  // namespace myld::map
