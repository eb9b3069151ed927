// From a symbol reference to the definition it is bound to.
//
// Compiled for general registers only: lazy binding comes here with the program's vector arguments
// live (arch/<isa>/plt_trampoline.S).
#pragma once
#include "loader/load/module.hpp"
#include "rtld/scope/names.hpp"

namespace myld::scope {

using elf::Sym;
using load::Module;

/// Source: gABI 5 "Hash Table".
constexpr std::uint32_t sysv_hash(const char* name) {
  std::uint32_t h = 0;
  for (; *name != 0; ++name) {
    h = (h << 4) + static_cast<unsigned char>(*name);
    h = (h ^ ((h >> 24) & 0xf0)) & 0x0fffffff;
  }
  return h;
}
static_assert(sysv_hash("") == 0 && sysv_hash("printf") == 0x077905a6);

/// What a reference is for, since that decides which entries are definitions.
enum class Purpose : std::uint8_t {
  address,  ///< an undefined entry with a value (the canonical PLT entry of a program) counts
  call,     ///< a PLT slot or a TLS reference: it does not
  copy,     ///< a COPY relocation: the program itself is passed over
};

/// A name and version that is looked up. The hashes are taken once, not once for each module.
struct Request {
  const char* name = nullptr;
  std::uint32_t hash = 0;                 ///< gnu_hash(name)
  const elf::Version* version = nullptr;  ///< nullptr: no version asked for
  Purpose purpose = Purpose::address;
  bool hidden_version_ok = false;  ///< dlvsym, and references: an exact version, default or not
  bool newest = false;  ///< dlsym without a version: the default version wins over the oldest
  const Module* skip = nullptr;  ///< not looked at
  bool leaving_too = false;      ///< the user is being unloaded, with those that it is bound to

  static Request of(const char* name, const elf::Version* version, Purpose purpose) {
    return {.name = name, .hash = hash_of_name(name), .version = version, .purpose = purpose};
  }
};

struct Definition {
  Module* module = nullptr;
  const Sym* symbol = nullptr;
  explicit operator bool() const { return symbol != nullptr; }
};

/// LD_DYNAMIC_WEAK: a weak definition counts only where there is no other. Set at the start, once.
void prefer_strong_definitions();
bool strong_definitions_preferred();

/// The definition in `module` alone, or nullptr.
const Sym* find_in_module(const Module& module, const Request& request);

/// The first definition in a list, from position `from` on.
Definition
find_in_list(const load::ModuleList* list, const Request& request, std::uint32_t from = 0);

/// The same for dlsym, where LD_DYNAMIC_WEAK holds too.
Definition
find_best_in_list(const load::ModuleList* list, const Request& request, std::uint32_t from = 0);

/// The first definition in the scopes of a chain.
Definition find(const load::ScopeChain* chain, const Request& request);

/// The definition that the entry `symbol` of `module` refers to: STV_PROTECTED and hidden entries
/// are bound to the module itself, STB_GNU_UNIQUE ones to the first in the namespace. Needs:
/// module.scopes. Takes no lock but for STB_GNU_UNIQUE's table.
Definition resolve(Module& module, const Sym& symbol, std::uint32_t index, Purpose purpose);

/// Must references be looked up one by one, in order, with resolve()? Where somebody wants to be
/// told of each (LD_DEBUG), or a rule that find() alone knows holds (LD_DYNAMIC_WEAK).
bool looks_up_one_by_one();

/// LD_DEBUG=bindings: says what a reference of `from` is bound to.
void log_binding(const Module& from, const Definition& to, const Request& r, bool is_protected);

// ---- The parts of resolve(), for whoever looks many references up at once (batch.hpp) ----------

/// Local and hidden entries refer to themselves; nothing is looked up.
constexpr bool refers_to_itself(const Sym& symbol) {
  unsigned visibility = elf::sym_visibility(symbol);
  return elf::sym_binding(symbol) == STB_LOCAL || visibility == STV_HIDDEN ||
         visibility == STV_INTERNAL;
}
/// The version that entry `index` of `module` asks for or defines, or nullptr.
inline const elf::Version* version_of(const Module& module, std::uint32_t index) {
  if (module.image.versym == nullptr) return nullptr;
  std::uint16_t v = module.image.versym[index] & elf::kVersionIndexMask;
  return v < module.versions.size() && module.versions[v].name != nullptr ? &module.versions[v]
                                                                          : nullptr;
}
/// What `symbol` of `module` is bound to when `found` is the first definition in its scopes.
Definition conclude(Module& module, const Sym& symbol, Purpose purpose, const Definition& found);
/// The first half of it, which has no effect: STB_GNU_UNIQUE is not looked at. What it gives may be
/// concluded again.
Definition choose(Module& module, const Sym& symbol, const Definition& found);
/// resolve() without an effect, and without a word to LD_DEBUG: what choose() gives.
Definition look_up(Module& module, const Sym& symbol, std::uint32_t index, Purpose purpose);

/// Bracket a fork(2): the child must find the tables of unique symbols whole.
void lock_unique_symbols();
void unlock_unique_symbols();

/// Of all definitions of an STB_GNU_UNIQUE symbol in a namespace, the first that was asked for.
Definition unique(const char* name, const Definition& candidate);
/// Forgets the unique symbols of a module that goes away after a failed load.
void forget_unique(const Module& module);

}  // namespace myld::scope
