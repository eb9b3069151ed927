// The ELF header and the program headers, checked as a whole before anything is mapped.
// Pure: bytes in, facts or an error out.
#pragma once
#include "arch/port.hpp"
#include "loader/base/addr.hpp"
#include "loader/base/result.hpp"
#include "loader/elf/layout.hpp"

#include <span>

namespace myld::elf {

/// Facts of the program headers. Pointers point into the checked array.
struct Segments {
  std::span<const Phdr> phdrs;
  /// The part of them from the first PT_LOAD to the last; linkers put nothing between.
  std::span<const Phdr> loads;
  LinkAddr start;           ///< of the first PT_LOAD, rounded down to a page
  LinkAddr end;             ///< of the last PT_LOAD, rounded up to a page
  std::uint64_t align = 0;  ///< largest p_align of a PT_LOAD, at least a page, bytes
  const Phdr* dynamic = nullptr;
  const Phdr* tls = nullptr;
  const Phdr* relro = nullptr;
  const Phdr* eh_frame = nullptr;

  /// The first header of a type, or nullptr: for those that few ask for.
  const Phdr* first_of(std::uint32_t p_type) const;
  /// The PT_LOAD that holds [at, at + bytes) in its memory image, or nullptr.
  const Phdr* find(LinkAddr at, std::uint64_t bytes) const;
  /// The PT_LOAD that has [at, at + bytes) in its pages: the kernel maps whole ones, so that what
  /// lies around a segment in its first and its last page is there as well.
  const Phdr* find_in_pages(LinkAddr at, std::uint64_t bytes, std::uint64_t page_size) const;
  /// As find(), of the part that comes from the file and can be read.
  const Phdr* find_in_file(LinkAddr at, std::uint64_t bytes) const;
  /// The PT_LOAD that maps [offset, offset + bytes) of the file to be read, or nullptr.
  const Phdr* find_mapped(std::uint64_t offset, std::uint64_t bytes) const;
  /// Have the PT_LOADs so much between them that looking through them costs too much?
  bool scattered() const;
  /// True if `at` is in an executable segment.
  bool is_code(LinkAddr at) const;
};

/// No program has an address from here on, whatever its ISA (x86-64 with four-level tables is the
/// largest).
inline constexpr std::uint64_t kUserAddressEnd = std::uint64_t{1} << 47;

/// What the policy of the process lets through (docs/policy.md).
struct SegmentPolicy {
  bool allow_writable_executable = false;
};

/// Checks e_ident to e_phnum. `bytes`: the start of the file, as much as was read. `file_size`: as
/// fstat(2) gave it. `machine`: the e_machine that is let through. Errors name `object` and the
/// field. Source: gABI 4.1 "ELF Header".
inline constexpr std::uint16_t kAnyMachine = 0;
Result<Ehdr> check_header(std::span<const std::uint8_t> bytes,
                          std::uint64_t file_size,
                          const char* object,
                          std::uint16_t machine = arch::Port::kMachine);

/// Checks every program header: PT_LOADs ascending, inside the file, congruent, not overlapping, in
/// user address range; each other header inside a PT_LOAD and there at most once.
/// `file_size` is UINT64_MAX for an image that the kernel mapped. Source: gABI 5 "Program Header".
Result<Segments> check_segments(std::span<const Phdr> phdrs,
                                std::uint64_t file_size,
                                std::uint64_t page_size,
                                SegmentPolicy policy,
                                const char* object);

}  // namespace myld::elf
