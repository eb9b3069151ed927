// Program headers for tests.
#pragma once
#include "loader/elf/headers.hpp"

#include <span>

namespace myld::testing {

inline elf::Phdr phdr(std::uint32_t type,
                      std::uint32_t flags,
                      std::uint64_t offset,
                      std::uint64_t vaddr,
                      std::uint64_t filesz,
                      std::uint64_t memsz) {
  elf::Phdr p{};
  p.p_type = type;
  p.p_flags = flags;
  p.p_offset = offset;
  p.p_vaddr = vaddr;
  p.p_filesz = filesz;
  p.p_memsz = memsz;
  return p;
}

/// As check_segments() leaves them, but for what it looks for in them. Needs: PT_LOADs first.
inline elf::Segments segments_of(std::span<const elf::Phdr> phdrs, std::uint64_t align) {
  elf::Segments s;
  s.phdrs = s.loads = phdrs;
  s.align = align;
  return s;
}

}  // namespace myld::testing
