// --tree: the program and its closure as a tree, with how each file was found.
#pragma once
#include "rtld/runtime.hpp"

namespace myld::start {

/// Calls visit(name, module) for each DT_NEEDED entry of `m` in order, with the module that the
/// name means or nullptr where it was not found.
template <class Visit>
void each_needed(Runtime& r, load::Module& m, Visit visit);

/// The module that a DT_NEEDED name of `m` means, or nullptr.
load::Module* needed_module(Runtime& runtime, load::Module& m, const char* name);

/// Writes the tree, or as JSON the list of modules with the names that each needs.
void write_tree(Runtime& runtime, std::span<load::Module* const> closure);

template <class Visit>
void each_needed(Runtime& r, load::Module& m, Visit visit) {
  for (std::uint32_t i = 0; i < m.image.dynamic_count; ++i) {
    const elf::Dyn& d = m.image.dynamic[i];
    const char* name = d.d_tag == DT_NEEDED ? m.image.strings.at(d.d_un.d_val) : nullptr;
    if (name != nullptr) visit(name, needed_module(r, m, name));
  }
}

}  // namespace myld::start
