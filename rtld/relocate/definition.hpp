// Which definition a relocation's symbol is bound to, from wherever that is known.
#pragma once
#include "rtld/relocate/relocate.hpp"
#include "rtld/scope/match.hpp"

namespace myld::relocate {

using arch::RelocKind;
using elf::Rela;
using elf::Sym;
using scope::Definition;
using scope::Purpose;

template <arch::IsPort Port>
[[gnu::cold, gnu::noinline]] Error bad_relocation(const Module& m, Code code, const Rela& r) {
  return {.code = code,
          .object = m.display,
          .subject = Port::reloc_name(elf::reloc_type(r)),
          .at = r.r_offset,
          .value = elf::reloc_type(r)};
}

/// The symbols that one module's relocations name.
template <arch::IsPort Port>
class References {
public:
  /// `found`: of a batch, or nullptr.
  References(Module& module, const FoundReferences* found) : m_(module), found_(found) {}

  /// The definition that `r` is bound to, which is noted in the module's lists; symbol 0 is the
  /// module itself. None: `undefined_weak` is set. Errors: undefined_symbol, bad_relocation_symbol,
  /// bad_version_table, out_of_memory.
  Result<Definition> find(const Rela& r, RelocKind kind, bool& undefined_weak);

  /// The same for most references, which ask for a definition that is there: in fewer steps, and
  /// without a word of why there is none. None: ask find(), which need not look it up again where
  /// the symbol is weak. Needs: nothing is known or found, and LD_DEBUG is not told of bindings.
  Definition find_usual(std::uint32_t index, Purpose purpose);

  /// Until it is set back to nullptr: the answer for the one relocation that is done next.
  void set_known(const Definition* known) {
    known_ = known;
    last_index_ = 0;
  }

private:
  /// Notes that the module is bound to another. False: there is no memory for it.
  bool note(Module& provider) {
    if (provider.mark == noted_) return true;
    if (!add_dependency(m_, provider)) return false;
    provider.mark = noted_;
    return true;
  }
  Definition remember(std::uint32_t index, Purpose purpose, const Definition& d) {
    last_index_ = index;
    last_purpose_ = purpose;
    return last_ = d;
  }
  Definition definition(const Sym& symbol, std::uint32_t index, Purpose purpose);

  Module& m_;
  const FoundReferences* found_;
  const Definition* known_ = nullptr;
  // Neighbouring relocations often name the same symbol.
  std::uint32_t last_index_ = 0;
  Purpose last_purpose_ = Purpose::address;
  Definition last_;
  std::uint32_t noted_ = load::next_mark();  // of modules that are in m_'s lists already
};

template <arch::IsPort Port>
Definition References<Port>::definition(const Sym& symbol, std::uint32_t index, Purpose purpose) {
  if (known_ != nullptr) return scope::conclude(m_, symbol, purpose, *known_);
  if (found_ != nullptr)
    if (const auto* e = found_->batch->find(found_->user, index, purpose); e != nullptr)
      return scope::conclude(m_, symbol, purpose, e->result());
  return scope::resolve(m_, symbol, index, purpose);
}

template <arch::IsPort Port>
Result<Definition> References<Port>::find(const Rela& r, RelocKind kind, bool& undefined_weak) {
  std::uint32_t index = elf::reloc_symbol(r);
  if (index == 0) return Definition{&m_, nullptr};
  if (index >= m_.image.symbol_limit)
    return bad_relocation<Port>(m_, Code::bad_relocation_symbol, r);
  const Sym& symbol = m_.image.symbols[index];
  if (symbol.st_name >= m_.image.strings.size)
    return bad_relocation<Port>(m_, Code::bad_relocation_symbol, r);
  Purpose purpose = purpose_of(kind);
  if (index == last_index_ && purpose == last_purpose_ && known_ == nullptr) {
    undefined_weak = !last_;
    return last_;
  }
  if (m_.image.versym != nullptr && !scope::version_is_known(m_, index, symbol)) {
    return Error{.code = Code::bad_version_table,
                 .object = m_.display,
                 .subject = "DT_VERSYM's entry",
                 .at = index,
                 .value = m_.image.versym[index]};
  }
  Definition d = definition(symbol, index, purpose);
  if (!d) {
    if (elf::sym_binding(symbol) != STB_WEAK) {
      Error e = bad_relocation<Port>(m_, Code::undefined_symbol, r);
      e.subject = m_.image.strings.data + symbol.st_name;
      if (m_.image.versym != nullptr) {
        std::uint16_t v = m_.image.versym[index] & elf::kVersionIndexMask;
        if (v < m_.versions.size()) e.detail = m_.versions[v].name;
      }
      return e;
    }
    undefined_weak = true;
  } else if (!note(*d.module)) {
    return no_memory(m_.display);
  }
  return remember(index, purpose, d);
}

template <arch::IsPort Port>
Definition References<Port>::find_usual(std::uint32_t index, Purpose purpose) {
  if (index == last_index_ && purpose == last_purpose_) return last_;
  const elf::Image& image = m_.image;
  if (index == 0 || index >= image.symbol_limit) return {};
  const Sym& symbol = image.symbols[index];
  if (symbol.st_name >= image.strings.size) return {};
  if (image.versym != nullptr && !scope::version_is_known(m_, index, symbol)) return {};
  Definition d = scope::resolve(m_, symbol, index, purpose);
  if (d ? !note(*d.module) : elf::sym_binding(symbol) != STB_WEAK) return {};
  return remember(index, purpose, d);
}

}  // namespace myld::relocate
