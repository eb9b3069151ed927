// From an address or a handle to a module, for readers that take no lock: unwinders, dladdr, dlsym,
// signal handlers.
//
// Ranges of addresses are kept sorted, in chunks of a bounded size: an index is a list of chunks. A
// change of modules makes a new list that shares with the old one the chunks that it does not
// touch, so its cost hardly depends on how many modules there are. Handles are in a hash table that
// changes in place.
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
  /// Immutable once published.
  struct Chunk {
    std::uint32_t count;
    std::uint64_t last_index;  ///< serial of the newest index that has it. Under the load lock.
    Range ranges[];            ///< by address
  };
  struct Part {
    std::uintptr_t start;  ///< of the chunk's first range
    Chunk* chunk;
  };
  std::uint64_t serial;
  std::uint32_t count, capacity;  ///< of parts
  Part parts[];                   ///< by address

  const Range* find(std::uintptr_t address) const;
};

/// The index now. Needs: a ReadSection for as long as it and what it leads to are used.
const ObjectIndex* current_index();

/// The index with `added` or without `removed`; nullptr when memory ran out. Modules without a
/// link_map are left out. Needs: the load lock, and that the index is not changed until it is
/// published or discarded.
ObjectIndex* index_with(std::span<Module* const> added);
ObjectIndex* index_without(std::span<Module* const> removed);
/// Publishes it and returns the one before, to be released when no reader has it any more.
ObjectIndex* publish_index(ObjectIndex* index);
/// Releases what was never published.
void discard_index(ObjectIndex* index);
/// Releases what was published, with the chunks that no newer index has.
void release_index(ObjectIndex* index);

/// The module whose mapping holds `address`, or nullptr. Needs: a ReadSection, or the load lock.
Module* module_at(std::uintptr_t address);

// ---- handles
// -------------------------------------------------------------------------------------

/// The module that `handle` is the link_map of, or nullptr. Any pointer may be asked for; it is not
/// looked through. Needs: a ReadSection, or the load lock.
Module* module_of_handle(const void* handle);

/// Makes room for so many handles more. What readers may still look at goes to `old`, to be
/// released by release_handles() after them. False: no memory. Needs, as the next two: the load
/// lock.
bool reserve_handles(std::size_t more, void*& old);
void release_handles(void* old);
/// Needs: reserve_handles() made room.
void add_handle(Module& module);
void remove_handle(Module& module);

}  // namespace myld::dlopen
