// rtld-audit(7): other people's libraries that are told what the loader does and may change it.
//
// An auditor is loaded into a namespace of its own before the program's libraries, so it has its
// own libc and nobody binds to it by accident; modules of auditors' namespaces are themselves never
// audited. A module that is audited carries, for each auditor, the cookie and the flags that
// la_objopen left there. Where there is no auditor nothing here costs more than a test of a count
// or of a null pointer; PLT slots are kept unbound only for calls that some la_*_pltenter or
// la_*_pltexit wants to see.
//
// Hooks run under the load lock where the loader holds it (they are told of a change while it is
// made), as they do in glibc.
// Source: rtld-audit(7); <link.h>; what glibc 2.36 calls, and in which order.
#pragma once
#include "loader/load/module.hpp"
#include "rtld/scope/lookup.hpp"

namespace myld::audit {

using load::Module;

// <link.h>
inline constexpr unsigned kInterfaceVersion = 2;  // LAV_CURRENT
enum Activity : unsigned { kConsistent = 0, kAdd = 1, kDelete = 2 };
inline constexpr unsigned kBindTo = 1, kBindFrom = 2;
inline constexpr unsigned kNoEnter = 1, kNoExit = 2, kByDlsym = 8, kAlternative = 16;

/// The hooks of one auditor; nullptr where it has none.
struct Hooks {
  void (*activity)(std::uintptr_t* cookie, unsigned flag);
  const char* (*objsearch)(const char* name, std::uintptr_t* cookie, unsigned flag);
  unsigned (*objopen)(load::LinkMap* map, long ns, std::uintptr_t* cookie);
  unsigned (*objclose)(std::uintptr_t* cookie);
  void (*preinit)(std::uintptr_t* cookie);
  std::uintptr_t (*symbind)(elf::Sym*,
                            unsigned index,
                            std::uintptr_t* user,
                            std::uintptr_t* provider,
                            unsigned* flags,
                            const char* name);
  std::uintptr_t (*enter)(elf::Sym*,
                          unsigned index,
                          std::uintptr_t* user,
                          std::uintptr_t* provider,
                          void* registers,
                          unsigned* flags,
                          const char* name,
                          long* frame_bytes);
  unsigned (*exit)(elf::Sym*,
                   unsigned index,
                   std::uintptr_t* user,
                   std::uintptr_t* provider,
                   const void* registers,
                   void* results,
                   const char* name);
};

inline constexpr unsigned kMaxAuditors = 16;

struct State {
  Hooks auditors[kMaxAuditors] = {};
  unsigned count = 0;
  bool plt = false;  ///< somebody wants to see calls

  bool active() const { return count != 0; }
};

/// Adds an auditor. False: there are too many.
bool add(State& state, const Hooks& hooks);

/// la_objopen for a module that was mapped. Needs: its link_map. False: no memory.
[[nodiscard]] bool opened(State& state, Module& module);
/// la_objclose, if the module was told of.
void closed(State& state, Module& module);
/// Gives back what the module carries.
void release(Module& module);

/// la_activity, with the namespace's first module. Repeated kAdd and unmatched kConsistent are not
/// told.
void activity(State& state, load::Namespace& ns, Activity what);

/// la_objsearch. The name to go on with, or nullptr to give up.
const char* search(State& state, const char* name, const find::Requester* requester, find::By by);

/// la_preinit.
void preinit(State& state, Module& program);

/// A slot that is bound for good: la_symbind64 with the flags that say that its calls are not seen.
/// The value to store.
std::uintptr_t
bound_now(State& state, Module& user, const scope::Definition& d, std::uintptr_t value);
/// The same for dlsym.
std::uintptr_t
bound_by_dlsym(State& state, Module& user, const scope::Definition& d, std::uintptr_t value);

/// Do some of the module's calls have to go through the audited trampoline?
bool sees_calls(const State& state, const Module& module);

/// A PLT slot whose calls somebody sees.
struct Call {
  Module* provider = nullptr;  ///< nullptr: the slot was not called yet
  const elf::Sym* symbol = nullptr;
  std::uintptr_t value = 0;             ///< what la_symbind64 left
  unsigned flags = 0;                   ///< LA_SYMB_*
  std::uint8_t off[kMaxAuditors] = {};  ///< kNoEnter, kNoExit of each auditor
  bool quiet = true;                    ///< all of them, from all: the slot can be bound for good
};

/// The record of PLT slot `index` of `module`, or nullptr: no memory, or not an audited module.
Call* call_at(Module& module, std::uint64_t index);
/// The first call through a slot: la_symbind64. Gives `call` complete.
void bound(
    State& state, Module& user, const scope::Definition& d, std::uintptr_t value, Call& call);
/// la_*_pltenter of all that want it. The address to call; `frame_bytes` stays -1 if nobody wants
/// to see the return.
std::uintptr_t enter(State& state, Module& user, Call& call, void* registers, long& frame_bytes);
/// la_*_pltexit.
void exit(State& state, Module& user, Call& call, const void* registers, void* results);

}  // namespace myld::audit
