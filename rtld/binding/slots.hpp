// From the relocations of a closure to the slots of a binding file.
#pragma once
#include "rtld/binding/identity.hpp"
#include "rtld/relocate/relocate.hpp"

namespace myld::binding {

/// Finds the definition that a reference is bound to, STB_GNU_UNIQUE left aside.
struct Finder {
  scope::Definition (*find)(const void* context,
                            load::Module& module,
                            std::uint32_t symbol,
                            scope::Purpose purpose) = nullptr;
  const void* context = nullptr;
};

/// How many slots there are of each of the two kinds of list.
struct SlotCounts {
  std::uint32_t addresses = 0, others = 0;
};

/// Appends the slots of `m`, as ModuleRecord has them. `numbers` tells which modules there are; an
/// absolute value's provider is their number. `lazy_slots_may_fail`: an undefined function in a PLT
/// slot is nobody's fault yet. Errors: undefined_symbol, cannot_bind, out_of_memory.
Status append_slots(load::Module& m,
                    const Numbers& numbers,
                    const Finder& finder,
                    bool lazy_slots_may_fail,
                    Vec<Slot>& out,
                    SlotCounts& counts);

}  // namespace myld::binding
