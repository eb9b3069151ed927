// Where the references of a module are looked up, and what a handle stands for.
#pragma once
#include "loader/load/loader.hpp"

#include <span>

namespace myld::dlopen {

using load::Module;

/// Gives `root` its group, if it has none yet: itself and what it needs, breadth-first. False: no
/// memory.
bool make_group(Module& root);

/// The members of a group, breadth-first.
inline std::span<Module* const> members(const load::Scope& group) {
  return {group.list->modules, group.list->count};
}

load::ScopeChain* make_chain(std::span<load::Scope* const> scopes);
void release_chain(load::ScopeChain* chain);

/// Makes the scopes of a module: the namespace's global one and `group`, own first where the file
/// or `deep` asks. False: no memory.
bool make_scopes(Module& module, load::Scope* group, bool deep);

}  // namespace myld::dlopen
