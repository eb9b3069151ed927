// From an address or a handle to a module, for readers that take no lock: unwinders, dladdr, dlsym,
// signal handlers. An index is immutable; a change of modules makes a new one.
#pragma once
#include "rtld/runtime.hpp"

namespace myld::dlopen {

using load::Module;

struct ObjectIndex {
  struct Range {
    std::uintptr_t start, end;
    Module* module;
    std::uintptr_t eh_frame;  ///< run address of PT_GNU_EH_FRAME, or 0
  };
  struct Handle {
    load::LinkMap* link_map;
    Module* module;
  };
  std::uint32_t count;
  Range* ranges;    ///< by address
  Handle* handles;  ///< by address of the link_map

  const Range* find(std::uintptr_t address) const;
  Module* by_handle(const void* handle) const;
};

/// The index now. Needs: a ReadSection for as long as it and what it leads to are used.
const ObjectIndex* current_index();

/// The index with `added` or without `removed`, in time linear in the modules there are; nullptr
/// when memory ran out. Modules without a link_map are left out. Needs: the load lock.
ObjectIndex* index_with(std::span<Module* const> added);
ObjectIndex* index_without(std::span<Module* const> removed);
/// Publishes it and returns the one before, to be released when no reader has it any more.
ObjectIndex* publish_index(ObjectIndex* index);
void release_index(ObjectIndex* index);

/// The module whose mapping holds `address`, or nullptr. Needs: a ReadSection, or the load lock.
Module* module_at(std::uintptr_t address);

}  // namespace myld::dlopen
