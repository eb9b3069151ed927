// Huge pages for what relocation writes all over.
//
// A library's RELRO part of several megabytes is written from end to end while it is relocated, and
// each page of it costs a fault and a copy. Anonymous memory in huge pages, read from the file,
// costs a fifth of that. The range is no longer backed by the file: /proc/PID/maps shows it without
// a name.
#pragma once
#include "loader/base/addr.hpp"
#include "loader/base/result.hpp"
#include "loader/elf/headers.hpp"

namespace myld::map {

inline constexpr std::uint64_t kHugePage = std::uint64_t{2} << 20;

/// The part of a module that is to lie on huge pages: whole ones, inside PT_GNU_RELRO and the file.
/// bytes == 0: there is none. The run address of `at` must be a multiple of kHugePage.
struct HugePart {
  LinkAddr at;
  std::uint64_t bytes = 0;
  FileOffset offset;
};
/// Pure. Agrees with the alignment that the segments ask for.
HugePart plan_huge(const elf::Segments& segments, std::uint64_t page_size);

/// Does the system give huge pages to those that ask? Asks it once.
bool huge_pages_are_given();

/// Puts huge pages with the file's content over what is mapped there. Errors: cannot_map,
/// cannot_read; each names `object`.
Status fill_huge(const HugePart& part, LoadBias bias, int fd, int prot, const char* object);

}  // namespace myld::map
