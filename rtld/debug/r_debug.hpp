// The contract with debuggers: a list of modules that they can read from outside, and a function
// they can stop in when it changes.
// Source: <link.h> struct r_debug; gdb's solib-svr4.
#pragma once
#include "loader/load/module.hpp"

namespace myld {
struct Runtime;
}

namespace myld::debug {

enum class State : int { consistent = 0, add = 1, remove = 2 };

/// <link.h>: struct r_debug, and since version 2 r_next.
struct RDebug {
  int r_version;
  load::LinkMap* r_map;
  std::uintptr_t r_brk;
  State r_state;
  std::uintptr_t r_ldbase;
  RDebug* r_next;
};

/// Namespace 0 uses the exported structure; each other one has its own, chained behind it.
RDebug* r_debug_of(const load::Namespace& ns);

/// Puts the address of _r_debug where debuggers look: in the DT_DEBUG of the program and, when it
/// was run as a command, of the loader. Before RELRO is protected.
void publish(Runtime& runtime);

/// Links a module at the end of its namespace's chain. Needs: module.link_map is filled.
void link(load::Namespace& ns, load::Module& module);
/// Takes it out again. Needs: the chain lock.
void unlink(load::Namespace& ns, load::Module& module);

/// Adds a namespace's own r_debug behind the first (r_version 2), or takes it out.
void chain(load::Namespace& ns);
void unchain(load::Namespace& ns);

/// Tells a debugger that the chain of `ns` is about to change or has changed.
void announce(load::Namespace& ns, State state);

}  // namespace myld::debug

extern "C" {
/// Found by name by debuggers.
extern myld::debug::RDebug _r_debug;
/// A debugger's breakpoint: empty.
void _dl_debug_state();
}
