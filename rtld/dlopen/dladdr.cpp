// dladdr(3), dladdr1(3).
#include "loader/base/mem.hpp"
#include "rtld/dlopen/dlfcn.hpp"
#include "rtld/dlopen/object_index.hpp"
#include "rtld/entry.hpp"

namespace myld::dlopen {
namespace {

constexpr int kSymbolEntry = 1, kLinkMap = 2;  // RTLD_DL_SYMENT, RTLD_DL_LINKMAP

/// True if `s` names the place `at` (a link address): it starts there or before and, if it has a
/// size, reaches over it.
bool covers(const elf::Sym& s, std::uint64_t at) {
  if (s.st_shndx == SHN_UNDEF || s.st_shndx == SHN_ABS || elf::sym_type(s) == STT_TLS) return false;
  if (s.st_value > at) return false;
  if (s.st_size == 0) return s.st_value == at;
  return at - s.st_value < s.st_size;
}

/// The symbols that may be found are those that are hashed; DT_HASH tells how many there are,
/// DT_GNU_HASH holds them in chains.
const elf::Sym* nearest(const Module& m, std::uint64_t at) {
  const elf::Image& image = m.image;
  const elf::Sym* best = nullptr;
  auto look = [&](std::uint32_t i) {
    const elf::Sym& s = image.symbols[i];
    unsigned binding = elf::sym_binding(s);
    if (binding != STB_GLOBAL && binding != STB_WEAK && binding != STB_GNU_UNIQUE) return;
    if (covers(s, at) && image.strings.at(s.st_name) != nullptr &&
        (best == nullptr || s.st_value > best->st_value))
      best = &s;
  };
  if (image.sysv_hash.bucket_count != 0) {
    for (std::uint32_t i = 1; i < image.sysv_hash.chain_count; ++i) look(i);
    return best;
  }
  // The chains of all buckets lie behind each other, and none is gone through twice.
  std::uint32_t end = image.gnu_hashed_end();
  for (std::uint32_t i = image.gnu_hash.first; i < end; ++i) look(i);
  return best;
}

/// The program is what is asked for most, and needs no search. Between its segments others may lie.
bool is_in_segment(const Module& program, std::uintptr_t address) {
  return program.contains(address) &&
         program.image.segments.find(RunAddr{address} - program.image.bias, 1) != nullptr;
}

}  // namespace

int address(const void* address, AddressInfo* info, void** extra, int flags) {
  auto at = reinterpret_cast<std::uintptr_t>(address);
  const Runtime& runtime = the_runtime();
  ReadSection section;
  Module* m = is_in_segment(*runtime.program, at) ? runtime.program : module_at(at);
  if (m == nullptr) return 0;
  // The program's link_map has no name; its argv[0] is what people expect to see.
  bool nameless = m->link_map->l_name == nullptr || m->link_map->l_name[0] == 0;
  info->dli_fname = nameless && m->is_program ? runtime.argv[0] : m->link_map->l_name;
  info->dli_fbase = m->mapping.start.as<void>();
  const elf::Sym* s = nearest(*m, (RunAddr{at} - m->image.bias).value);
  info->dli_sname = s == nullptr ? nullptr : m->image.strings.at(s->st_name);
  info->dli_saddr = s == nullptr ? nullptr : m->image.at<void>({s->st_value});
  if (flags == kSymbolEntry && extra != nullptr) *extra = const_cast<elf::Sym*>(s);
  if (flags == kLinkMap && extra != nullptr) *extra = m->link_map;
  return 1;
}

}  // namespace myld::dlopen
