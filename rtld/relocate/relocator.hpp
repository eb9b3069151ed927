// What each kind of relocation stores. The port is a template parameter: the loader is made for
// one, the unit tests relocate for every ISA on any host.
#pragma once
#include "arch/port.hpp"
#include "loader/base/mem.hpp"
#include "loader/map/mapping.hpp"
#include "loader/sys/log.hpp"
#include "rtld/relocate/definition.hpp"
#include "rtld/relocate/places.hpp"
#include "rtld/relocate/relocate.hpp"
#include "rtld/relocate/tls_descriptor.hpp"

namespace myld::relocate {

template <class T>
void store(std::uintptr_t at, T value) {
  __builtin_memcpy(reinterpret_cast<void*>(at), &value, sizeof value);
}

/// Moves the word at `at`, which need not be aligned, by the load bias.
inline void add_bias(std::uintptr_t at, std::uintptr_t bias) {
  std::uintptr_t word;
  __builtin_memcpy(&word, reinterpret_cast<const void*>(at), sizeof word);
  store(at, word + bias);
}

/// Moves the words from `at` on whose bits are set. Tables of functions have eight in a row.
inline void add_bias(std::uintptr_t at, std::uint64_t bits, std::uintptr_t bias) {
  constexpr std::size_t kWord = sizeof(std::uintptr_t);
  for (; bits != 0; bits >>= 8, at += 8 * kWord) {
    std::uint64_t eight = bits & 0xff;
    if (eight == 0xff) {
#pragma GCC unroll 8
      for (std::size_t i = 0; i < 8; ++i) add_bias(at + i * kWord, bias);
    } else {
      for (; eight != 0; eight &= eight - 1)
        add_bias(at + static_cast<unsigned>(__builtin_ctzl(eight)) * kWord, bias);
    }
  }
}

/// One module's relocation.
template <arch::IsPort Port>
class Relocator {
public:
  Relocator(Runtime& runtime,
            Module& module,
            const load::ErrorSink& sink,
            const FoundReferences* found = nullptr)
      : runtime_(runtime), m_(module), image_(module.image), bias_(module.image.bias.value),
        sink_(sink), found_(found == nullptr || found->bound != nullptr ? nullptr : found),
        bound_(found == nullptr ? nullptr : found->bound), places_(module),
        references_(module, found_) {
    if (found_ != nullptr) batched_ = scope::Batch::OfUser(*found_->batch, found_->user);
  }

  /// All but the resolvers of the module's own code, which finish() calls.
  Status run();
  /// Needs: text is as it will be.
  Status finish();
  /// Binds the PLT slots of a module that is relocated already.
  Status bind_slots();

private:
  static constexpr std::uint32_t kSymbolic = ordinary_type<Port>(RelocKind::symbolic),
                                 kGlobDat = ordinary_type<Port>(RelocKind::glob_dat),
                                 kJumpSlot = ordinary_type<Port>(RelocKind::jump_slot);

  Error bad(Code code, const Rela& r) const { return bad_relocation<Port>(m_, code, r); }
  /// Goes on after an error that the sink has taken.
  Status settle(const Status& s) {
    if (s.ok() || sink_.report(sink_.context, s.error())) return {};
    return s;
  }

  /// May quick() be asked? Auditors are told of what is bound, and may change it.
  bool is_batched() const { return found_ != nullptr && m_.audited == nullptr; }
  /// May usual() be asked? LD_DEBUG is told of what is bound, too.
  bool is_usual() const {
    return found_ == nullptr && bound_ == nullptr && m_.audited == nullptr && !text_is_open_ &&
           !log::wants(log::kBindings | log::kSymbols);
  }
  bool in_relro(const Rela& r) const {
    return map::in_relro(image_.segments, {r.r_offset}, runtime_.loader.page_size);
  }
  Status plt(bool lazy, bool relro_is_protected);
  bool has_got_words();
  void store_got_words();
  /// Is it a JUMP_SLOT (`kSlots`), or one of the two other kinds that store an address? `addend`:
  /// what is added to that.
  template <bool kSlots>
  [[gnu::always_inline]] static bool stores_address(const Rela& r, std::uint64_t& addend) {
    std::uint32_t type = elf::reloc_type(r);
    addend = static_cast<std::uint64_t>(r.r_addend);
    if (!kSlots && type == kSymbolic) return true;  // by itself, since most of them are
    if (!Port::kGotAddend) addend = 0;
    return type == (kSlots ? kJumpSlot : kGlobDat);
  }
  Status relr();
  Status relative(std::span<const Rela> relocations);
  template <bool kSlots>
  std::size_t quick(std::span<const Rela> relocations);
  template <bool kSlots>
  std::size_t usual(std::span<const Rela> relocations);
  Status one(const Rela& r);
  Status symbolic(const Rela& r, RelocKind kind);
  Status bind(std::span<const Rela> relocations);
  std::size_t leave_unbound(std::span<const Rela> relocations);
  Status lazy_slot(const Rela& r);
  Status irelative();
  Status irelative(const Rela& r);
  Status apply_bound();
  Status apply_addresses();
  Status apply_other(const binding::Slot& slot);
  const Rela* relocation(std::uint32_t number) const;
  Status copy(const Rela& r, const Sym& symbol, const Definition& d);
  Status
  thread_local_storage(const Rela& r, RelocKind kind, const Definition& d, bool undefined_weak);

  Runtime& runtime_;
  Module& m_;
  const elf::Image& image_;
  std::uintptr_t bias_;
  const load::ErrorSink& sink_;
  const FoundReferences* found_;   ///< nullptr: everything is looked up here
  const BoundSlots* bound_;        ///< nullptr: nothing is known
  scope::Batch::OfUser batched_;   ///< of found_
  const Module* noted_ = nullptr;  ///< who quick() has noted as a dependency last
  Places places_;
  References<Port> references_;
  bool have_irelative_ = false;
  bool text_is_open_ = false;  ///< for text relocations: writable and not executable
};

template <arch::IsPort Port>
Status Relocator<Port>::relr() {
  // gABI "Relative Relocation Table": an even entry is an address, an odd one a bitmap of the 63
  // words that follow the last address covered.
  std::uint64_t next = 0;
  bool have_address = false;
  for (elf::Relr entry : image_.relr) {
    if ((entry & 1) == 0) {
      if (!places_.allow(entry, 8))
        return Error{
            .code = Code::bad_relr, .object = m_.display, .subject = "DT_RELR", .at = entry};
      add_bias(bias_ + entry, bias_);
      next = entry + 8;
      have_address = true;
      continue;
    }
    if (!have_address)
      return Error{.code = Code::bad_relr, .object = m_.display, .subject = "DT_RELR", .at = entry};
    std::uint64_t bits = entry >> 1;
    if (bits != 0) {
      auto top = static_cast<std::uint64_t>(63 - __builtin_clzl(bits));
      if (places_.allow(next, (top + 1) * 8)) {
        add_bias(bias_ + next, bits, bias_);
        bits = 0;
      }
      for (; bits != 0; bits &= bits - 1) {  // a table may lie between the words
        std::uint64_t at = next + static_cast<std::uint64_t>(__builtin_ctzl(bits)) * 8;
        if (!places_.allow(at, 8))
          return Error{
              .code = Code::bad_relr, .object = m_.display, .subject = "DT_RELR", .at = at};
        add_bias(bias_ + at, bias_);
      }
    }
    next += std::uint64_t{63} * 8;
  }
  return {};
}

/// Applies relocations up to the first that is not an ordinary relative one of a word that starts
/// less than `room` bytes behind `start`. Returns how many. Half a million of them are nothing
/// unusual: what is checked of each is two comparisons.
template <arch::IsPort Port>
std::size_t apply_relative(std::span<const Rela> relocations,
                           std::uintptr_t bias,
                           std::uint64_t start,
                           std::uint64_t room) {
  constexpr std::uint64_t kRelativeInfo = ordinary_type<Port>(RelocKind::relative);
  std::uintptr_t base = bias + start;
  // Lest the compiler adds to both r_offset and `at`: it does not matter what `base` is.
  asm("" : "+r"(base));
  auto apply = [&](const Rela& r) {
    std::uint64_t at = r.r_offset - start;
    if (at >= room || r.r_info != kRelativeInfo) return false;
    store<std::uint64_t>(base + at, bias + static_cast<std::uint64_t>(r.r_addend));
    return true;
  };
  const Rela* const first = relocations.data();
  const Rela* r = first;
  auto done = [&] { return static_cast<std::size_t>(r - first); };
  for (const Rela* const last = first + relocations.size() / 8 * 8; r != last; r += 8)
#pragma GCC unroll 8
    for (std::size_t i = 0; i < 8; ++i)
      if (!apply(r[i])) return done() + i;
  for (; done() != relocations.size(); ++r)
    if (!apply(*r)) break;
  return done();
}

template <arch::IsPort Port>
Status Relocator<Port>::relative(std::span<const Rela> relocations) {
  for (;;) {
    std::size_t done = apply_relative<Port>(relocations, bias_, places_.start(), places_.room());
    if (done == relocations.size()) return {};
    // The first of a segment, an unusual kind, or DT_RELACOUNT said more than is true.
    MYLD_CHECK(settle(one(relocations[done])));
    relocations = relocations.subspan(done + 1);
  }
}

template <arch::IsPort Port>
Status Relocator<Port>::copy(const Rela& r, const Sym& symbol, const Definition& d) {
  std::uint64_t bytes = symbol.st_size < d.symbol->st_size ? symbol.st_size : d.symbol->st_size;
  const elf::Image& from = d.module->image;
  // The symbol is the copy: whoever refers to it must find what is copied.
  if (symbol.st_shndx != SHN_UNDEF && symbol.st_value != r.r_offset)
    return bad(Code::bad_relocation_symbol, r);
  if (!places_.allow(r.r_offset, symbol.st_size == 0 ? 1 : symbol.st_size))
    return bad(Code::bad_relocation_offset, r);
  // st_size may say more than the segment has: it is the copy's size that the program was linked
  // with, and what follows in the last page is copied like the rest.
  const elf::Phdr* load =
      from.segments.find_in_pages({d.symbol->st_value}, bytes, runtime_.loader.page_size);
  if (bytes != 0 && (load == nullptr || (load->p_flags & PF_R) == 0))
    return bad(Code::copy_size, r);
  memcpy(reinterpret_cast<void*>(bias_ + r.r_offset), from.at<const void>({d.symbol->st_value}),
         bytes);
  return {};
}

template <arch::IsPort Port>
Status Relocator<Port>::thread_local_storage(const Rela& r,
                                             RelocKind kind,
                                             const Definition& d,
                                             bool undefined_weak) {
  std::uintptr_t at = bias_ + r.r_offset;
  auto addend = static_cast<std::uint64_t>(r.r_addend);
  if (undefined_weak) {
    if (kind == RelocKind::tlsdesc) store_undefined_descriptor(at, addend);
    return {};  // an undefined weak TLS symbol: the word keeps what the linker left
  }
  Module& provider = *d.module;
  if (provider.tls.module_id == 0) return bad(Code::bad_relocation_symbol, r);
  if (d.symbol != nullptr && elf::sym_type(*d.symbol) != STT_TLS)
    return bad(Code::bad_relocation_symbol, r);
  std::uint64_t offset = (d.symbol == nullptr ? 0 : d.symbol->st_value);
  if (kind != RelocKind::dtpmod && offset + addend > provider.image.segments.tls->p_memsz) {
    Error e = bad(Code::bad_tls_offset, r);
    e.detail = provider.display;
    e.value = offset + addend;
    return e;
  }
  switch (kind) {
  case RelocKind::dtpmod: store<std::uint64_t>(at, provider.tls.module_id); return {};
  case RelocKind::dtpoff: store<std::uint64_t>(at, offset + addend - Port::kDtvOffset); return {};
  case RelocKind::tpoff:
    if (Status s = tls::require_static(runtime_.tls, provider); !s) {
      Error e = s.error();
      e.detail = m_.display;
      return e;
    }
    store<std::uint64_t>(at, offset + addend + static_cast<std::uint64_t>(provider.tls.tp_offset));
    return {};
  default: return store_descriptor(at, m_, provider, offset + addend);
  }
}

template <arch::IsPort Port>
Status Relocator<Port>::symbolic(const Rela& r, RelocKind kind) {
  bool undefined_weak = false;
  Definition d = MYLD_TRY(references_.find(r, kind, undefined_weak));
  std::uintptr_t at = bias_ + r.r_offset;
  switch (kind) {
  case RelocKind::dtpmod:
  case RelocKind::dtpoff:
  case RelocKind::tpoff:
  case RelocKind::tlsdesc: return thread_local_storage(r, kind, d, undefined_weak);
  case RelocKind::copy:
    if (d.symbol == nullptr)
      return undefined_weak ? Status{} : Status(bad(Code::bad_relocation_symbol, r));
    return copy(r, image_.symbols[elf::reloc_symbol(r)], d);
  case RelocKind::size32:
  case RelocKind::size64: {
    std::uint64_t size = d.symbol == nullptr ? 0 : d.symbol->st_size;
    size += static_cast<std::uint64_t>(r.r_addend);
    if (kind == RelocKind::size64) {
      store<std::uint64_t>(at, size);
    } else {
      if (size > UINT32_MAX) return bad(Code::relocation_overflow, r);
      store<std::uint32_t>(at, static_cast<std::uint32_t>(size));
    }
    return {};
  }
  default: break;
  }
  std::uint64_t value = 0;
  if (d.symbol != nullptr) {
    if (text_is_open_ && d.module == &m_ && elf::sym_type(*d.symbol) == STT_GNU_IFUNC)
      return bad(Code::text_relocation_resolver, r);
    value = MYLD_TRY(address_of(runtime_, d));
    if (kind == RelocKind::jump_slot && m_.audited != nullptr)
      value = audit::bound_now(runtime_.audit, m_, d, value);
  } else if (!undefined_weak) {
    value = bias_;
  }
  if (relocate::stores_address(kind)) {
    store<std::uint64_t>(at, value + address_addend<Port>(r, kind));
    return {};
  }
  auto addend = static_cast<std::uint64_t>(r.r_addend);
  switch (kind) {
  case RelocKind::abs32:
    value += addend;
    if (value > UINT32_MAX) return bad(Code::relocation_overflow, r);
    store<std::uint32_t>(at, static_cast<std::uint32_t>(value));
    return {};
  case RelocKind::pc32: {
    auto distance = static_cast<std::int64_t>(value + addend - at);
    if (distance != static_cast<std::int32_t>(distance)) return bad(Code::relocation_overflow, r);
    store<std::uint32_t>(at, static_cast<std::uint32_t>(distance));
    return {};
  }
  case RelocKind::pc64: store<std::uint64_t>(at, value + addend - at); return {};
  default: return bad(Code::bad_relocation_type, r);
  }
}

/// Applies relocations up to the first that is none of most: where a word gets the address that the
/// batch found. Returns how many. `kSlots`: of JUMP_SLOT, else of the other two kinds that do so.
/// Needs: is_batched().
template <arch::IsPort Port>
template <bool kSlots>
std::size_t Relocator<Port>::quick(std::span<const Rela> relocations) {
  constexpr Purpose kPurpose = kSlots ? Purpose::call : Purpose::address;
  const scope::Batch::OfUser batched = batched_;
  const std::uint32_t symbol_limit = image_.symbol_limit;
  const std::uintptr_t bias = bias_;
  const bool stays = m_.from_start;
  std::uint64_t start = places_.start(), room = places_.room();
  const Rela *const first = relocations.data(), *const last = first + relocations.size();
  const Rela* at = first;
  for (; at != last; ++at) {
    const Rela& r = *at;
    std::uint64_t addend;
    std::uint32_t symbol = elf::reloc_symbol(r);
    if (!stores_address<kSlots>(r, addend) || symbol >= symbol_limit) break;
    const scope::Batch::Entry* e = batched.settled(symbol, kPurpose);
    if (e == nullptr) break;
    if (r.r_offset - start >= room) {
      if (!places_.allow(r.r_offset, 8)) break;
      start = places_.start();
      room = places_.room();
    }
    if (!stays && e->provider != noted_) {  // neighbours are often bound to the same module
      if (!add_dependency(m_, *e->provider)) break;
      noted_ = e->provider;
    }
    store<std::uint64_t>(bias + r.r_offset, e->address + addend);
  }
  return static_cast<std::size_t>(at - first);
}

/// Applies relocations up to the first that is none of most: where a word gets the address of a
/// definition that is looked up here. Returns how many. `kSlots`: as of quick(). Needs: is_usual().
template <arch::IsPort Port>
template <bool kSlots>
std::size_t Relocator<Port>::usual(std::span<const Rela> relocations) {
  constexpr Purpose kPurpose = kSlots ? Purpose::call : Purpose::address;
  const std::uintptr_t bias = bias_;
  std::size_t count = relocations.size(), i = 0;
  for (; i < count; ++i) {
    const Rela& r = relocations[i];
    std::uint64_t addend;
    if (!stores_address<kSlots>(r, addend)) break;
    if (r.r_offset - places_.start() >= places_.room() && !places_.allow(r.r_offset, 8)) break;
    Definition d = references_.find_usual(elf::reloc_symbol(r), kPurpose);
    if (!d || !scope::is_at_its_value(*d.module, *d.symbol)) break;
    std::uintptr_t address = (d.module->image.bias + LinkAddr{d.symbol->st_value}).value;
    store<std::uint64_t>(bias + r.r_offset, address + addend);
  }
  return i;
}

template <arch::IsPort Port>
Status Relocator<Port>::one(const Rela& r) {
  RelocKind kind = Port::reloc_kind(elf::reloc_type(r));
  switch (kind) {
  case RelocKind::none: return {};
  case RelocKind::unknown: return bad(Code::bad_relocation_type, r);
  case RelocKind::irelative: have_irelative_ = true; return {};
  default: break;
  }
  if (!places_.allow(r.r_offset, stored_bytes(kind))) return bad(Code::bad_relocation_offset, r);
  if (kind == RelocKind::relative) {
    store<std::uint64_t>(bias_ + r.r_offset, bias_ + static_cast<std::uint64_t>(r.r_addend));
    return {};
  }
  return symbolic(r, kind);
}

/// The part of a table that names symbols, or that nobody sorted.
template <arch::IsPort Port>
Status Relocator<Port>::bind(std::span<const Rela> relocations) {
  const bool batched = is_batched(), plain = is_usual();
  for (std::size_t i = 0; i < relocations.size(); ++i) {
    if (batched) i += quick<false>(relocations.subspan(i));
    if (plain) i += usual<false>(relocations.subspan(i));
    if (i == relocations.size()) break;
    MYLD_CHECK(settle(one(relocations[i])));
  }
  return {};
}

/// Resolvers run last: they may read anything that the other relocations set up.
template <arch::IsPort Port>
Status Relocator<Port>::irelative() {
  if (!have_irelative_) return {};
  for (std::span<const Rela> table : {image_.rela, image_.jmprel})
    for (const Rela& r : table)
      if (Port::reloc_kind(elf::reloc_type(r)) == RelocKind::irelative) MYLD_CHECK(irelative(r));
  return {};
}

template <arch::IsPort Port>
Status Relocator<Port>::irelative(const Rela& r) {
  if (!places_.allow(r.r_offset, 8)) return bad(Code::bad_relocation_offset, r);
  LinkAddr resolver{static_cast<std::uint64_t>(r.r_addend)};
  if (!image_.segments.is_code(resolver)) return bad(Code::bad_code_address, r);
  store<std::uint64_t>(bias_ + r.r_offset,
                       arch::call_ifunc((image_.bias + resolver).value, runtime_.hwcaps));
  return {};
}

template <arch::IsPort Port>
Status Relocator<Port>::run() {
  text_is_open_ = image_.text_relocations;
  MYLD_CHECK(places_.find(text_is_open_));
  if (m_.in_image) return apply_bound();
  MYLD_CHECK(relr());
  std::span<const Rela> rest = image_.rela;
  if (!rest.empty()) {
    MYLD_CHECK(relative(rest.first(image_.relative_count)));
    rest = rest.subspan(image_.relative_count);
  }
  if (bound_ != nullptr) return apply_bound();
  MYLD_CHECK(bind(rest));
  if (m_.lazy) m_.lazy = has_got_words();
  return plt(m_.lazy, false);
}

template <arch::IsPort Port>
Status Relocator<Port>::finish() {
  if (text_is_open_) {
    text_is_open_ = false;
    MYLD_CHECK(places_.find(text_is_open_));
  }
  if (bound_ == nullptr) {
    MYLD_CHECK(irelative());
  } else {
    for (const binding::Slot& s : bound_->others)
      if (const Rela* r = relocation(s.at); s.kind == binding::SlotKind::resolver && r != nullptr)
        MYLD_CHECK(irelative(*r));
  }
  // Again, should a relocation have stored there.
  if (m_.lazy) store_got_words();
  return {};
}

}  // namespace myld::relocate

#include "rtld/relocate/relocator_bound.hpp"
#include "rtld/relocate/relocator_plt.hpp"
