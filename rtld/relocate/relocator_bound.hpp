// A part of relocator.hpp: what is stored from a binding file.
#pragma once
#include "rtld/relocate/relocator.hpp"

namespace myld::relocate {

/// Relocation number of binding::Slot; nullptr: there is none.
template <arch::IsPort Port>
const Rela* Relocator<Port>::relocation(std::uint32_t number) const {
  if (number < image_.rela.size()) return &image_.rela[number];
  std::size_t in_plt = number - image_.rela.size();
  return in_plt < image_.jmprel.size() ? &image_.jmprel[in_plt] : nullptr;
}

/// In ascending order of address: each page is come to once, and nothing of the tables is read.
template <arch::IsPort Port>
Status Relocator<Port>::apply_addresses() {
  for (const binding::Slot& s : bound_->addresses) {
    bool ok = s.at - places_.start() < places_.room() || places_.allow(s.at, 8);
    if (!ok || s.provider >= bound_->biases.size())
      return Error{.code = Code::bad_relocation_offset,
                   .object = m_.display,
                   .subject = "a bound slot",
                   .at = s.at};
    store<std::uint64_t>(bias_ + s.at, bound_->biases[s.provider] + s.value);
  }
  return {};
}

template <arch::IsPort Port>
Status Relocator<Port>::apply_other(const binding::Slot& s) {
  const Rela* r = relocation(s.at);
  if (r == nullptr)
    return Error{.code = Code::bad_relocation_symbol,
                 .object = m_.display,
                 .subject = "a bound slot",
                 .at = s.at};
  if (s.kind == binding::SlotKind::resolver) return {};  // finish() does them
  bool in_plt = s.at >= image_.rela.size();
  if (in_plt && m_.lazy) return settle(lazy_slot(*r));
  Definition d;
  if (s.kind == binding::SlotKind::symbol) {
    Module* provider = s.provider < bound_->modules.size() ? bound_->modules[s.provider] : nullptr;
    if (provider == nullptr || s.value >= provider->image.symbol_limit)
      return bad(Code::bad_relocation_symbol, *r);
    d = {provider, &provider->image.symbols[s.value]};
  }
  if (s.kind != binding::SlotKind::look_up) references_.set_known(&d);
  Status status = one(*r);
  references_.set_known(nullptr);
  return settle(status);
}

template <arch::IsPort Port>
Status Relocator<Port>::apply_bound() {
  MYLD_CHECK(apply_addresses());
  if (m_.lazy) {
    bool unbound = false;
    for (const binding::Slot& s : bound_->others) unbound = unbound || s.at >= image_.rela.size();
    m_.lazy = unbound && has_got_words();
    if (m_.lazy) store_got_words();
  }
  for (const binding::Slot& s : bound_->others) MYLD_CHECK(apply_other(s));
  return {};
}

}  // namespace myld::relocate
