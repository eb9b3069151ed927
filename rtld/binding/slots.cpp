#include "rtld/binding/slots.hpp"
#include "rtld/scope/match.hpp"

#include "loader/base/mem.hpp"

#include <algorithm>

namespace myld::binding {
namespace {

using arch::Port;
using arch::RelocKind;
using elf::Rela;
using elf::Sym;
using load::Module;
using scope::Definition;

/// Works for one module.
class Builder {
public:
  Builder(Module& m, const Numbers& numbers, const Finder& finder, bool lazy, Vec<Slot>& out)
      : m_(m), image_(m.image), numbers_(numbers), finder_(finder), lazy_(lazy), out_(out) {}

  Status run(SlotCounts& counts);

private:
  /// A slot of any kind, with the place that it writes to.
  struct Item {
    Slot slot;
    std::uint64_t at;
    std::uint64_t bytes;
  };

  Error cannot(const char* why) const {
    return {.code = Code::cannot_bind, .object = m_.display, .subject = why};
  }
  Error no_memory() const { return {.code = Code::out_of_memory, .object = m_.display}; }
  Status add(const Rela& r, std::uint32_t number, bool in_plt);
  Status add_symbolic(const Rela& r, std::uint32_t number, RelocKind kind, bool in_plt);
  Status other(const Rela& r, std::uint32_t number, SlotKind kind, const Definition& d = {});
  /// False: the value is none that a slot can hold.
  bool address(const Rela& r, std::uint32_t provider, std::uint64_t value);
  bool plain_address(const Rela& r, RelocKind kind, const Definition& d);
  Status put(const Slot& slot, const Rela& r, RelocKind kind);
  Status check_places();

  Module& m_;
  const elf::Image& image_;
  const Numbers& numbers_;
  const Finder& finder_;
  bool lazy_;
  Vec<Slot>& out_;
  Vec<Item> addresses_, others_;
};

bool Builder::address(const Rela& r, std::uint32_t provider, std::uint64_t value) {
  if (r.r_offset > UINT32_MAX - 8 || value > UINT32_MAX) return false;
  Slot slot{static_cast<std::uint32_t>(r.r_offset), static_cast<std::uint32_t>(value),
            static_cast<std::uint16_t>(provider), SlotKind::address};
  return addresses_.push({slot, r.r_offset, 8});
}

Status Builder::other(const Rela& r, std::uint32_t number, SlotKind kind, const Definition& d) {
  Slot slot{number, 0, 0, kind};
  if (kind == SlotKind::symbol) {
    std::uint32_t provider = numbers_.of(d.module);
    if (provider == kNone) return cannot("a symbol is of a module that has no file");
    slot.provider = static_cast<std::uint16_t>(provider);
    slot.value = static_cast<std::uint32_t>(d.symbol - d.module->image.symbols);
  }
  RelocKind of = Port::reloc_kind(elf::reloc_type(r));
  std::uint64_t bytes = of == RelocKind::copy ? image_.symbols[elf::reloc_symbol(r)].st_size
                                              : relocate::stored_bytes(of);
  return others_.push({slot, r.r_offset, bytes}) ? Status{} : no_memory();
}

/// What relocate.cpp stores without a look at anything but the definition.
bool Builder::plain_address(const Rela& r, RelocKind kind, const Definition& d) {
  if (!relocate::stores_address(kind)) return false;
  const Sym& s = *d.symbol;
  const elf::Segments& segments = d.module->image.segments;
  if ((elf::sym_type(s) == STT_GNU_IFUNC && s.st_shndx != SHN_UNDEF) || s.st_shndx == SHN_ABS ||
      elf::sym_binding(s) == STB_GNU_UNIQUE ||
      s.st_value - segments.start.value > segments.end.value - segments.start.value)
    return false;
  std::uint32_t provider = numbers_.of(d.module);
  return provider != kNone &&
         address(r, provider, s.st_value + relocate::address_addend<Port>(r, kind));
}

Status Builder::add_symbolic(const Rela& r, std::uint32_t number, RelocKind kind, bool in_plt) {
  std::uint32_t index = elf::reloc_symbol(r);
  if (index == 0) return other(r, number, SlotKind::look_up);
  if (index >= image_.symbol_limit) return cannot("a relocation has a bad symbol");
  const Sym& symbol = image_.symbols[index];
  if (symbol.st_name >= image_.strings.size) return cannot("a relocation has a bad symbol");
  if (image_.versym != nullptr && !scope::version_is_known(m_, index, symbol))
    return cannot("a relocation has a bad version");
  Definition d = finder_.find(finder_.context, m_, index, relocate::purpose_of(kind));
  if (d) {
    if (plain_address(r, kind, d)) return {};
    return other(r, number, SlotKind::symbol, d);
  }
  if (elf::sym_binding(symbol) != STB_WEAK) {
    if (in_plt && lazy_) return other(r, number, SlotKind::look_up);
    return Error{.code = Code::undefined_symbol,
                 .object = m_.display,
                 .subject = image_.strings.data + symbol.st_name,
                 .at = r.r_offset};
  }
  // A lazy slot of a weak function is bound when it is called: what is loaded by then may have it.
  if (in_plt && lazy_) return other(r, number, SlotKind::look_up);
  if (relocate::stores_address(kind) &&
      address(r, numbers_.count(), relocate::address_addend<Port>(r, kind)))
    return {};
  return other(r, number, SlotKind::undefined);
}

Status Builder::add(const Rela& r, std::uint32_t number, bool in_plt) {
  RelocKind kind = Port::reloc_kind(elf::reloc_type(r));
  switch (kind) {
  case RelocKind::none: return {};
  case RelocKind::unknown: return cannot("a relocation has an unknown type");
  case RelocKind::irelative: return other(r, number, SlotKind::resolver);
  case RelocKind::relative:
    if (address(r, numbers_.of(&m_), static_cast<std::uint64_t>(r.r_addend))) return {};
    return other(r, number, SlotKind::look_up);
  default: return add_symbolic(r, number, kind, in_plt);
  }
}

/// Slots are applied in another order than relocations: no two may write to the same place.
Status Builder::check_places() {
  Vec<Item> all;
  if (!all.reserve(addresses_.size() + others_.size())) return no_memory();
  for (const Item& i : addresses_) all.push_reserved(i);
  for (const Item& i : others_) all.push_reserved(i);
  std::sort(all.begin(), all.end(), [](const Item& a, const Item& b) { return a.at < b.at; });
  for (std::size_t i = 1; i < all.size(); ++i)
    if (all[i].at - all[i - 1].at < all[i - 1].bytes)
      return cannot("two relocations have one place");
  return {};
}

Status Builder::run(SlotCounts& counts) {
  std::uint32_t number = 0;
  std::span<const Rela> rela = image_.rela;
  for (const Rela& r : rela) {
    if (number >= image_.relative_count) MYLD_CHECK(add(r, number, false));
    ++number;
  }
  for (const Rela& r : image_.jmprel) MYLD_CHECK(add(r, number++, true));
  MYLD_CHECK(check_places());
  std::sort(addresses_.begin(), addresses_.end(),
            [](const Item& a, const Item& b) { return a.at < b.at; });
  if (!out_.reserve(out_.size() + addresses_.size() + others_.size())) return no_memory();
  for (const Item& i : addresses_) out_.push_reserved(i.slot);
  for (const Item& i : others_) out_.push_reserved(i.slot);
  counts = {static_cast<std::uint32_t>(addresses_.size()),
            static_cast<std::uint32_t>(others_.size())};
  return {};
}

}  // namespace

Status append_slots(Module& m,
                    const Numbers& numbers,
                    const Finder& finder,
                    bool lazy_slots_may_fail,
                    Vec<Slot>& out,
                    SlotCounts& counts) {
  return Builder(m, numbers, finder, lazy_slots_may_fail, out).run(counts);
}

}  // namespace myld::binding
