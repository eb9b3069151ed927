// Relocation: every word of a module that depends on where things are gets its final value.
#pragma once
#include "loader/binding/format.hpp"
#include "loader/load/loader.hpp"
#include "rtld/runtime.hpp"
#include "rtld/scope/batch.hpp"
#include "rtld/scope/lookup.hpp"

namespace myld::relocate {

using load::Module;

struct FoundReferences;

/// Stores the final value of every relocation of `module`: RELR, relative, symbolic, PLT slots (or,
/// where `module.lazy`, their trampolines), then IRELATIVE.
/// Needs:  stage == scoped; its dependencies relocated where the graph has an order; TLS IDs
/// assigned. Gives:  stage == relocated; RELRO is protected. Units:  r_offset is a link address;
/// what is stored is a run address, TLS offset or module ID. Errors: undefined_symbol,
/// bad_relocation_type, no_static_tls ... each names symbol, version and module;
///         those go to `sink`, which decides whether the rest is still done.
/// Source: gABI 4 "Relocation"; the psABIs' tables.
/// `found`: what was looked up for it before, or nullptr.
Status relocate(Runtime& runtime,
                Module& module,
                const load::ErrorSink& sink,
                const FoundReferences* found = nullptr);

/// Moves the libc of `order`, if there is one, to its front: its resolvers of IFUNCs, which must
/// not run before it is relocated, are called for modules too that do not say that they need it.
void libc_first(const Runtime& runtime, Vec<Module*>& order);

/// What a binding file says of one module's relocations.
struct BoundSlots {
  std::span<const binding::Slot> addresses, others;
  std::span<Module* const> modules;       ///< by provider
  std::span<const std::uint64_t> biases;  ///< by provider, and 0 for absolute values
};

/// What the relocations of one module refer to: from a batch, or from a binding file.
struct FoundReferences {
  const scope::Batch* batch;
  std::uint32_t user;                 ///< the module's number there
  const BoundSlots* bound = nullptr;  ///< then there is no batch
};

/// Collects what the relocations of `modules`, whose scope is the same, will ask for, and looks it
/// up in one go where that pays: else, and where memory is short, `batch` stays empty. Modules
/// whose scope is another (RTLD_DEEPBIND) are left out. `lazy_slots_too`: PLT slots of
/// modules that are bound lazily count as well. Needs: scopes made, `lazy`
/// decided. Gives: module i of `modules` is user i. `cost`: of worth_a_batch().
void look_up_references(std::span<Module* const> modules,
                        scope::Batch& batch,
                        bool lazy_slots_too = false,
                        std::uint64_t cost = scope::kBatchCost);

/// The number of the ISA's ordinary relocation of a kind, or what no relocation has.
template <arch::IsPort Port>
consteval std::uint32_t ordinary_type(arch::RelocKind kind) {
  constexpr std::uint32_t kMost = 2048;
  for (std::uint32_t type = 0; type < kMost; ++type)
    if (Port::reloc_kind(type) == kind) return type;
  return UINT32_MAX;
}

/// What a symbol is looked up for by a relocation of this kind.
constexpr scope::Purpose purpose_of(arch::RelocKind kind) {
  switch (kind) {
  case arch::RelocKind::jump_slot:
  case arch::RelocKind::dtpmod:
  case arch::RelocKind::dtpoff:
  case arch::RelocKind::tpoff:
  case arch::RelocKind::tlsdesc: return scope::Purpose::call;
  case arch::RelocKind::copy: return scope::Purpose::copy;
  default: return scope::Purpose::address;
  }
}

/// Kinds that store the address of a symbol as a whole word, and nothing else.
constexpr bool stores_address(arch::RelocKind kind) {
  return kind == arch::RelocKind::symbolic || kind == arch::RelocKind::glob_dat ||
         kind == arch::RelocKind::jump_slot;
}

/// What such a relocation adds to the address.
template <arch::IsPort Port>
std::uint64_t address_addend(const elf::Rela& r, arch::RelocKind kind) {
  bool has = kind == arch::RelocKind::symbolic || Port::kGotAddend;
  return has ? static_cast<std::uint64_t>(r.r_addend) : 0;
}

/// How many bytes a relocation of this kind stores; of a copy, whose symbol has the size, 1.
constexpr std::uint64_t stored_bytes(arch::RelocKind kind) {
  switch (kind) {
  case arch::RelocKind::abs32:
  case arch::RelocKind::pc32:
  case arch::RelocKind::size32: return 4;
  case arch::RelocKind::tlsdesc: return 16;
  case arch::RelocKind::copy: return 1;
  default: return 8;
  }
}

/// The run address that a definition stands for, where it takes no more than adding the load bias.
/// False: address_of() tells.
inline bool plain_address_of(const scope::Definition& definition, std::uintptr_t& address) {
  const elf::Sym& s = *definition.symbol;
  const elf::Image& image = definition.module->image;
  // One past the end is where `_end` and its like point.
  std::uint64_t bytes = image.segments.end.value - image.segments.start.value;
  if (s.st_shndx == SHN_ABS || s.st_value - image.segments.start.value > bytes) return false;
  if (elf::sym_type(s) == STT_GNU_IFUNC && s.st_shndx != SHN_UNDEF) return false;
  address = (image.bias + LinkAddr{s.st_value}).value;
  return true;
}

/// The run address that a definition stands for: resolvers of STT_GNU_IFUNC are called.
/// Errors: bad_code_address.
Result<std::uintptr_t> address_of(const Runtime& runtime, const scope::Definition& definition);

/// Notes that `user` is bound to `provider`, so that the latter stays while the former does.
/// Does nothing for modules that are never unloaded. False when memory ran out. Needs: the load
/// lock.
bool add_dependency(Module& user, Module& provider);

/// Binds every lazy PLT slot of a module now (RTLD_NOW on a module that was opened RTLD_LAZY).
Status bind_all(Runtime& runtime, Module& module, const load::ErrorSink& sink);

}  // namespace myld::relocate

/// Binds one PLT slot and returns the address it is bound to; called by the trampoline.
/// `index`: of the relocation in DT_JMPREL. On failure the process ends with a message: there is
/// nobody to return an error to.
extern "C" [[gnu::visibility("hidden")]] std::uintptr_t
myld_bind_plt_slot(myld::load::Module* module, std::uint64_t index);
extern "C" [[gnu::visibility("hidden")]] void myld_plt_trampoline();

/// The same where auditors see calls (Port::kAuditEnter), called by the audited trampoline each
/// time. `registers`: as la_*_pltenter gets them. `frame_bytes`: -1; what else it becomes, so many
/// bytes of stack arguments are copied and the return goes through myld_audited_return().
extern "C" [[gnu::visibility("hidden")]] std::uintptr_t myld_audited_call(
    myld::load::Module* module, std::uint64_t index, void* registers, long* frame_bytes);
extern "C" [[gnu::visibility("hidden")]] void myld_audited_return(myld::load::Module* module,
                                                                  std::uint64_t index,
                                                                  const void* registers,
                                                                  void* results);
extern "C" [[gnu::visibility("hidden")]] void myld_plt_audit_trampoline();
