// Relocation for the ISA that the loader is built for, and what it shares with lazy binding.
#include "loader/map/mapping.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/log.hpp"
#include "rtld/relocate/prefault.hpp"
#include "rtld/relocate/relocator.hpp"

#include <algorithm>

namespace myld::relocate {
namespace {

using TargetRelocator = Relocator<arch::Port>;

/// Text relocations: the pages are writable while they are changed and executable afterwards, never
/// both at once.
Status open_text(const Module& m, std::uint64_t page_size, bool open) {
  for (const elf::Phdr& p : m.image.segments.phdrs) {
    if (p.p_type != PT_LOAD || (p.p_flags & PF_W) != 0) continue;
    std::uintptr_t from = round_down((m.image.bias + LinkAddr{p.p_vaddr}).value, page_size);
    std::uintptr_t to = round_up((m.image.bias + LinkAddr{p.p_vaddr + p.p_memsz}).value, page_size);
    int prot = open ? sys::kProtRead | sys::kProtWrite : map::protection(p.p_flags);
    long got = sys::protect(reinterpret_cast<void*>(from), to - from, prot);
    if (got < 0)
      return Error{.code = Code::cannot_protect,
                   .sys_errno = static_cast<int>(-got),
                   .object = m.display,
                   .subject = "text",
                   .at = p.p_vaddr};
  }
  if (!open && m.branch_targets) map::check_branch_targets(m.mapping, m.image.segments, page_size);
  return {};
}

}  // namespace

bool add_dependency(Module& user, Module& provider) {
  if (&user == &provider || provider.from_start || provider.permanent) return true;
  if (user.needed.contains(&provider)) return true;
  if (!user.bound_to.contains(&provider)) {
    if (!user.bound_to.push(&provider)) return false;
    ++provider.users;
  }
  // For readers, who then need not come here again (needs_note).
  if (user.from_start) __atomic_store_n(&provider.bound_for_good, true, __ATOMIC_RELAXED);
  __atomic_store_n(&user.last_noted, static_cast<const Module*>(&provider), __ATOMIC_RELAXED);
  return true;
}

Result<std::uintptr_t> address_of(const Runtime& runtime, const Definition& d) {
  if (std::uintptr_t plain; plain_address_of(d, plain)) return plain;
  const Sym& s = *d.symbol;
  if (s.st_shndx == SHN_ABS) return static_cast<std::uintptr_t>(s.st_value);
  auto bad = [&](Code code) {
    return Error{.code = code,
                 .object = d.module->display,
                 .subject = d.module->image.strings.data + s.st_name,
                 .value = s.st_value};
  };
  const elf::Segments& segments = d.module->image.segments;
  if (s.st_value - segments.start.value > segments.end.value - segments.start.value)
    return bad(Code::bad_symbol_value);
  if (!segments.is_code({s.st_value})) return bad(Code::bad_code_address);
  return arch::call_ifunc((d.module->image.bias + LinkAddr{s.st_value}).value, runtime.hwcaps);
}

void libc_first(const Runtime& runtime, Vec<Module*>& order) {
  if (runtime.abi->is_libc == nullptr) return;
  for (auto at = order.begin(); at != order.end(); ++at)
    if (runtime.abi->is_libc(**at)) {
      std::rotate(order.begin(), at, at + 1);
      return;
    }
}

Status
relocate(Runtime& runtime, Module& m, const load::ErrorSink& sink, const FoundReferences* found) {
  if (log::wants(log::kReloc)) {
    log::line("");
    log::line("relocation processing: ", m.display, (m.lazy ? " (lazy)" : ""));
  }
  bool text = m.image.text_relocations;
  if (text && !runtime.loader.policy.allow_text_relocations)
    return Error{.code = Code::text_relocation, .object = m.display};
  TargetRelocator relocator(runtime, m, sink, found);
  if (text) MYLD_CHECK(open_text(m, runtime.loader.page_size, true));
  if (!m.in_image) prefault(m.image, runtime.loader.page_size);
  MYLD_CHECK(relocator.run());
  if (text) MYLD_CHECK(open_text(m, runtime.loader.page_size, false));
  MYLD_CHECK(relocator.finish());
  // Of an image the pages that were stored to are made read-only all at once (rtld/binding).
  if (!m.in_image)
    MYLD_CHECK(
        map::protect_relro(m.mapping, m.image.segments, runtime.loader.page_size, m.display));
  m.advance(load::Stage::relocated);
  return {};
}

Status bind_all(Runtime& runtime, Module& m, const load::ErrorSink& sink) {
  if (!m.lazy) return {};
  MYLD_CHECK(TargetRelocator(runtime, m, sink).bind_slots());
  m.lazy = false;
  return {};
}

}  // namespace myld::relocate
