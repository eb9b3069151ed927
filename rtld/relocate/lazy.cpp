// The first call through a PLT slot.
//
// Runs in any thread, at any moment, in signal handlers too: no lock is taken and nothing is
// allocated, but for the note that a module which can be unloaded is now in use. Binding twice is
// harmless: both threads store the same word.
#include "arch/vector_state.hpp"
#include "loader/base/mem.hpp"
#include "loader/map/mapping.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/log.hpp"
#include "rtld/entry.hpp"
#include "rtld/relocate/relocate.hpp"

namespace myld::relocate {
namespace {

using scope::Definition;

struct IfuncCall {
  const Runtime* runtime;
  const Definition* definition;
  Error error;
};

std::uintptr_t call_resolver(void* argument) {
  auto* call = static_cast<IfuncCall*>(argument);
  auto address = address_of(*call->runtime, *call->definition);
  call->error = address.error_if_any();
  return address.value();
}

struct Failure {
  const Module* module;
  Error error;
};

/// Ends the process: there is nobody to return an error to.
std::uintptr_t die(void* argument) {
  auto* failure = static_cast<Failure*>(argument);
  fatal_lookup(the_runtime(), failure->error);
}

[[noreturn]] void fail(const Module& m, const Error& error) {
  Failure failure{&m, error};
  arch::call_keeping_vectors(&die, &failure);
  __builtin_unreachable();
}

Error undefined(const Module& m, const elf::Rela& r) {
  const elf::Sym& symbol = m.image.symbols[elf::reloc_symbol(r)];
  Error e{.code = Code::undefined_symbol,
          .object = m.display,
          .subject = m.image.strings.data + symbol.st_name,
          .at = r.r_offset,
          .value = elf::reloc_type(r)};
  if (m.image.versym != nullptr) {
    std::uint16_t v = m.image.versym[elf::reloc_symbol(r)] & elf::kVersionIndexMask;
    if (v < m.versions.size()) e.detail = m.versions[v].name;
  }
  return e;
}

/// What a slot is bound to.
struct Target {
  const elf::Rela* slot;
  Definition definition;
  std::uintptr_t value;
};

/// What the symbol of a slot means, with the note that a module which may be unloaded is in use.
Definition
find_definition(Runtime& runtime, Module& m, const elf::Sym& symbol, std::uint32_t symbol_index) {
  Definition d;
  bool note = false;
  if (log::wants(log::kSymbols | log::kBindings)) {
    note = true;  // one look, so that LD_DEBUG tells of one
  } else {
    ReadSection section;  // nothing that is looked at is unloaded meanwhile
    d = scope::resolve(m, symbol, symbol_index, scope::Purpose::call);
    note = d && needs_note(m, *d.module);
  }
  if (!note) return d;
  LoadGuard guard(runtime);
  d = scope::resolve(m, symbol, symbol_index, scope::Purpose::call);
  if (d && needs_note(m, *d.module) && !add_dependency(m, *d.module))
    fail(m, {.code = Code::out_of_memory, .object = m.display});
  return d;
}

Target find_target(Runtime& runtime, Module& m, std::uint64_t index) {
  const elf::Image& image = m.image;
  // The index comes from the program's stack or registers; it is a file's word like any other.
  if (index >= image.jmprel.size())
    fail(m, {.code = Code::bad_relocation_symbol,
             .object = m.display,
             .subject = "DT_JMPREL",
             .at = index});
  const elf::Rela& r = image.jmprel[index];
  std::uint32_t symbol_index = elf::reloc_symbol(r);
  const elf::Sym& symbol = image.symbols[symbol_index];
  if (symbol_index >= image.symbol_limit || symbol.st_name >= image.strings.size ||
      arch::Port::reloc_kind(elf::reloc_type(r)) != arch::RelocKind::jump_slot)
    fail(m, {.code = Code::bad_relocation_symbol,
             .object = m.display,
             .subject = arch::Port::reloc_name(elf::reloc_type(r)),
             .at = r.r_offset,
             .value = symbol_index});
  if (log::wants(log::kStatistics)) __atomic_fetch_add(&runtime.bound_lazily, 1, __ATOMIC_RELAXED);
  Definition d = find_definition(runtime, m, symbol, symbol_index);
  std::uintptr_t value = 0;
  if (d) {
    if (elf::sym_type(*d.symbol) == STT_GNU_IFUNC && d.symbol->st_shndx != SHN_UNDEF) {
      IfuncCall call{&runtime, &d, {}};
      value = arch::call_keeping_vectors(&call_resolver, &call);
      if (call.error) fail(m, call.error);
    } else if (d.symbol->st_shndx == SHN_ABS) {
      value = d.symbol->st_value;
    } else {
      // The trampoline jumps there at once.
      if (!d.module->image.segments.is_code({d.symbol->st_value}))
        fail(*d.module, {.code = Code::bad_code_address,
                         .object = d.module->display,
                         .subject = d.module->image.strings.data + d.symbol->st_name,
                         .value = d.symbol->st_value});
      value = (d.module->image.bias + LinkAddr{d.symbol->st_value}).value;
    }
    if (arch::Port::kGotAddend) value += static_cast<std::uint64_t>(r.r_addend);
  } else if (elf::sym_binding(symbol) != STB_WEAK) {
    fail(m, undefined(m, r));
  }
  if (value >= elf::kUserAddressEnd)  // of an absolute symbol or a resolver's making
    fail(m, {.code = Code::bad_code_address,
             .object = m.display,
             .subject = m.image.strings.data + symbol.st_name,
             .value = value});
  return {&r, d, value};
}

void store(const Runtime& runtime, const Module& m, const Target& t) {
  // A slot in RELRO was bound when the module was relocated; only a wrong index leads here.
  if (!runtime.options.bind_not &&
      !map::in_relro(m.image.segments, {t.slot->r_offset}, runtime.loader.page_size))
    __atomic_store_n(m.image.at<std::uintptr_t>({t.slot->r_offset}), t.value, __ATOMIC_RELEASE);
}

// ---- auditors --------------------------------------------------------------------------------

struct AuditedBinding {
  Runtime* runtime;
  Module* user;
  Target* target;
};

/// la_symbind64 of a slot whose calls nobody sees.
std::uintptr_t ask_auditors(void* argument) {
  auto* b = static_cast<AuditedBinding*>(argument);
  audit::Call call;
  audit::bound(b->runtime->audit, *b->user, b->target->definition, b->target->value, call);
  return call.value;
}

std::uintptr_t bind(Runtime& runtime, Module& m, std::uint64_t index) {
  Target t = find_target(runtime, m, index);
  if (m.audited != nullptr && t.definition) {
    AuditedBinding binding{&runtime, &m, &t};
    t.value = arch::call_keeping_vectors(&ask_auditors, &binding);
  }
  store(runtime, m, t);
  return t.value;
}

/// The trampoline has saved the vector registers.
std::uintptr_t
call(Runtime& runtime, Module& m, std::uint64_t index, void* registers, long& frame_bytes) {
  audit::Call* c = audit::call_at(m, index);
  if (c == nullptr) return bind(runtime, m, index);
  if (__atomic_load_n(&c->provider, __ATOMIC_ACQUIRE) == nullptr) {
    Target t = find_target(runtime, m, index);
    audit::bound(runtime.audit, m, t.definition, t.value, *c);
    t.value = c->value;
    if (c->quiet) store(runtime, m, t);
  }
  return audit::enter(runtime.audit, m, *c, registers, frame_bytes);
}

}  // namespace
}  // namespace myld::relocate

std::uintptr_t myld_bind_plt_slot(myld::load::Module* module, std::uint64_t index) {
  return myld::relocate::bind(myld::the_runtime(), *module, index);
}

std::uintptr_t myld_audited_call(myld::load::Module* module,
                                 std::uint64_t index,
                                 void* registers,
                                 long* frame_bytes) {
  return myld::relocate::call(myld::the_runtime(), *module, index, registers, *frame_bytes);
}

void myld_audited_return(myld::load::Module* module,
                         std::uint64_t index,
                         const void* registers,
                         void* results) {
  myld::audit::Call* c = myld::audit::call_at(*module, index);
  if (c != nullptr) myld::audit::exit(myld::the_runtime().audit, *module, *c, registers, results);
}
