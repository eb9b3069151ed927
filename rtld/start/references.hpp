// The symbol table of a module as a list of what it asks for and what it has. Works for any
// machine, since only the meaning of a relocation depends on that.
#pragma once
#include "loader/base/mem.hpp"
#include "rtld/runtime.hpp"
#include "rtld/scope/lookup.hpp"

namespace myld::start {

/// Number of entries in the symbol table: as many as the hash table, and the relocations, tell of.
inline std::uint32_t symbol_count(const load::Module& m) {
  const elf::Image& image = m.image;
  std::uint32_t count = image.sysv_hash.chain_count;
  if (image.gnu_hash.bucket_count != 0) {
    std::uint32_t end = image.gnu_hashed_end();
    if (end > count) count = end;
  }
  for (auto table : {image.rela, image.jmprel})
    for (const elf::Rela& r : table)
      if (elf::reloc_symbol(r) >= count) count = elf::reloc_symbol(r) + 1;
  return count < image.symbol_limit ? count : image.symbol_limit;
}

/// Calls visit(index, symbol, name) for each entry with a name that is not local.
template <class Visit>
void each_symbol(const load::Module& m, Visit visit) {
  std::uint32_t count = symbol_count(m);
  for (std::uint32_t i = 1; i < count; ++i) {
    const elf::Sym& s = m.image.symbols[i];
    const char* name = m.image.strings.at(s.st_name);
    if (name == nullptr || *name == 0 || elf::sym_binding(s) == STB_LOCAL) continue;
    visit(i, s, name);
  }
}

inline bool is_reference(const elf::Sym& s) { return s.st_shndx == SHN_UNDEF; }

/// Calls visit(module) for `module`, who asked for it first, and so on up to the program.
template <class Visit>
void each_in_chain(load::Module* module, Visit visit) {
  for (; module != nullptr; module = module->first_needed_by) visit(*module);
}

/// The module with this name for messages, or nullptr.
inline load::Module* module_named(const load::Namespace& ns, const char* display) {
  if (display == nullptr) return nullptr;
  for (load::Module* m : ns.modules)
    if (equal(m->display, display)) return m;
  return nullptr;
}

/// Makes the scopes that lookups need; no link_map, nothing else of a start. False: no memory.
bool make_scopes(Runtime& runtime, std::span<load::Module* const> closure);

}  // namespace myld::start
