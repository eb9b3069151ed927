// A part of relocator.hpp: slots of the PLT, bound at once or left to the trampoline.
#pragma once
#include "rtld/relocate/relocator.hpp"

namespace myld::relocate {

/// An unbound slot: the linker left the link address of the PLT entry's second half there.
template <arch::IsPort Port>
Status Relocator<Port>::lazy_slot(const Rela& r) {
  if (Port::reloc_kind(elf::reloc_type(r)) != RelocKind::jump_slot) return one(r);
  // It cannot be stored to later, or not in one store that other threads see whole.
  if (in_relro(r) || r.r_offset % sizeof(std::uintptr_t) != 0) return one(r);
  if (!places_.allow(r.r_offset, 8)) return bad(Code::bad_relocation_offset, r);
  std::uint32_t index = elf::reloc_symbol(r);
  if (index >= image_.symbol_limit) return bad(Code::bad_relocation_symbol, r);
  if (Port::must_bind_now(image_.symbols[index].st_other)) return one(r);
  add_bias(bias_ + r.r_offset, bias_);
  return {};
}

/// lazy_slot() of slots up to the first that is none of most. Returns how many.
template <arch::IsPort Port>
std::size_t Relocator<Port>::leave_unbound(std::span<const Rela> relocations) {
  const elf::Phdr* relro = image_.segments.relro;
  // Behind what is protected, as where lazy slots always are: then it need not be asked of each.
  std::uint64_t least = relro == nullptr ? 0 : relro->p_vaddr + relro->p_memsz;
  std::size_t i = 0;
  for (; i < relocations.size(); ++i) {
    const Rela& r = relocations[i];
    std::uint32_t symbol = elf::reloc_symbol(r);
    if (elf::reloc_type(r) != kJumpSlot || symbol >= image_.symbol_limit ||
        r.r_offset % sizeof(std::uintptr_t) != 0 || r.r_offset < least ||
        Port::must_bind_now(image_.symbols[symbol].st_other))
      break;
    if (r.r_offset - places_.start() >= places_.room() && !places_.allow(r.r_offset, 8)) break;
    add_bias(bias_ + r.r_offset, bias_);
  }
  return i;
}

/// What the PLT passes to the trampoline.
template <arch::IsPort Port>
void Relocator<Port>::store_got_words() {
  image_.got_plt[Port::kGotPlt.module_slot] = reinterpret_cast<std::uintptr_t>(&m_);
  void (*trampoline)() = &myld_plt_trampoline;
  if constexpr (Port::kAuditEnter != nullptr)
    if (audit::sees_calls(runtime_.audit, m_)) trampoline = &myld_plt_audit_trampoline;
  image_.got_plt[Port::kGotPlt.resolver_slot] = reinterpret_cast<std::uintptr_t>(trampoline);
}

/// Is DT_PLTGOT what every linker makes of it: reserved words right before the first slot? Only
/// then are they the words that the PLT's code reads, and nothing else is overwritten.
template <arch::IsPort Port>
bool Relocator<Port>::has_got_words() {
  if (image_.got_plt == nullptr) return false;
  std::uint64_t at = (RunAddr::of(image_.got_plt) - image_.bias).value;
  std::uint64_t bytes = Port::kGotPlt.reserved * sizeof(std::uintptr_t);
  std::uint64_t first = UINT64_MAX, place = at + bytes;
  for (const Rela& r : image_.jmprel) {
    if (Port::reloc_kind(elf::reloc_type(r)) == RelocKind::jump_slot) {
      if (r.r_offset < first) first = r.r_offset;
      if (Port::kGotPlt.passes_slot && r.r_offset != place) return false;
    }
    place += sizeof(std::uintptr_t);
  }
  return first == at + bytes && places_.allow(at, bytes);
}

template <arch::IsPort Port>
Status Relocator<Port>::plt(bool lazy, bool relro_is_protected) {
  if (image_.jmprel.empty()) return {};
  if (lazy) store_got_words();
  bool ordinary = !lazy && !relro_is_protected, batched = ordinary && is_batched(),
       plain = ordinary && is_usual(), unbound = lazy && !relro_is_protected;
  for (std::size_t i = 0; i < image_.jmprel.size(); ++i) {
    if (batched) i += quick<true>(image_.jmprel.subspan(i));
    if (plain) i += usual<true>(image_.jmprel.subspan(i));
    if (unbound) i += leave_unbound(image_.jmprel.subspan(i));
    if (i == image_.jmprel.size()) break;
    const Rela& r = image_.jmprel[i];
    RelocKind kind = Port::reloc_kind(elf::reloc_type(r));
    if (kind != RelocKind::jump_slot && kind != RelocKind::irelative &&
        kind != RelocKind::tlsdesc && kind != RelocKind::none) {
      // What else stands in this table would be called as a function.
      MYLD_CHECK(settle(bad(Code::bad_relocation_type, r)));
    } else if (relro_is_protected && (kind != RelocKind::jump_slot || in_relro(r))) {
      continue;  // done when the module was relocated
    } else {
      MYLD_CHECK(settle(lazy ? lazy_slot(r) : one(r)));
    }
  }
  return {};
}

template <arch::IsPort Port>
Status Relocator<Port>::bind_slots() {
  MYLD_CHECK(places_.find(text_is_open_));
  return plt(false, true);
}

}  // namespace myld::relocate
