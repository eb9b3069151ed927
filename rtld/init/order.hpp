// In which order constructors and destructors run. Pure.
#pragma once
#include "loader/load/loader.hpp"

namespace myld::init {

using load::Module;

/// Appends the modules of `list` to `out`, each after those that it needs; a cycle is entered where
/// the list's order says. `list` is in breadth-first or load order; among modules that do not need
/// each other the last of it comes first, as everyone is used to from the GNU system; but those
/// with DF_1_INITFIRST, and what they need, come before all others. `with_bound` counts the modules
/// that relocations are bound to as needed too. `last`, if it is not nullptr, is one of the list
/// and comes last, whatever needs it: what is opened finds a cycle that it is part of ready. False
/// when memory ran out. No recursion.
[[nodiscard]] bool dependencies_first(std::span<Module* const> list,
                                      bool with_bound,
                                      Vec<Module*>& out,
                                      Module* last = nullptr);

}  // namespace myld::init
