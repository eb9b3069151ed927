// Modules in lists: of a namespace, of a search order, of a closure. Pure but for the heap.
#pragma once
#include "loader/load/module.hpp"

namespace myld::load {

/// Takes modules out of the list of their namespace. Needs: nobody walks the list without the load
/// lock.
void take_out(Namespace& ns, std::span<Module* const> going);

/// A number that no module's mark has yet, so that no graph walk has to clear the marks of the last
/// one. Needs: the load lock.
std::uint32_t next_mark();

/// `module` and its closure, each once, breadth-first. False when memory ran out.
[[nodiscard]] bool breadth_first(Module& module, Vec<Module*>& out);
/// Makes a search order of a breadth-first list: after the first module, which it belongs to, those
/// that ask for it with DF_1_INTERPOSE come before the others.
void interposers_first(std::span<Module*> list);

/// A ModuleList of `modules` on the heap, or nullptr; freed by release_list().
ModuleList* make_list(std::span<Module* const> modules);
void release_list(ModuleList* list);

}  // namespace myld::load
