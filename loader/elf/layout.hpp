// The ELF structures of this loader's class and byte order. The only include of <elf.h>.
// Source: gABI 4.1; <elf.h> for the GNU extensions.
#pragma once
#include <elf.h>

#include <cstdint>

// Newer than the oldest <elf.h> that the loader is built with.
#ifndef DT_RELRSZ
#define DT_RELRSZ 35
#define DT_RELR 36
#define DT_RELRENT 37
#endif

namespace myld::elf {

using Ehdr = Elf64_Ehdr;
using Phdr = Elf64_Phdr;
using Dyn = Elf64_Dyn;
using Sym = Elf64_Sym;
using Rela = Elf64_Rela;
using Relr = std::uint64_t;
using Verneed = Elf64_Verneed;
using Vernaux = Elf64_Vernaux;
using Verdef = Elf64_Verdef;
using Verdaux = Elf64_Verdaux;
using Nhdr = Elf64_Nhdr;

constexpr std::uint32_t reloc_type(const Rela& r) { return static_cast<std::uint32_t>(r.r_info); }
constexpr std::uint32_t reloc_symbol(const Rela& r) {
  return static_cast<std::uint32_t>(r.r_info >> 32);
}
constexpr unsigned sym_type(const Sym& s) { return s.st_info & 0xf; }
constexpr unsigned sym_binding(const Sym& s) { return s.st_info >> 4; }
constexpr unsigned sym_visibility(const Sym& s) { return s.st_other & 3; }

}  // namespace myld::elf
