// Which modules of a list may define a name: what makes looking up in a list of a thousand modules
// cost what it costs in a list of ten.
//
// A hash table of all names that the modules of a list export, each as one word: a part of the hash
// and the module's position. Entries that share a hash lie in the order of the list, so the first
// of them whose module has a definition that fits is the one that asking each module in turn would
// find; the modules themselves are still asked, so versions, visibility and the rest are decided in
// one place. A name that an unversioned module defines anyway is not entered for those behind it.
//
// A table is made only when the list has been asked so much that it pays, and so costs at most
// about as much as was spent without. It is part of an immutable list; a list that continues
// another by modules at its end takes the table over and extends it in place, since readers of the
// shorter list pass over positions that they do not have.
#pragma once
#include "rtld/scope/lookup.hpp"

namespace myld::scope {

/// Shorter lists are asked module by module.
inline constexpr std::uint32_t kLeastIndexed = 4;
/// `next_look` of a list that gets no table.
inline constexpr std::uint64_t kNever = ~std::uint64_t{0};

/// Counts work of readers on a list without a table.
inline void note_asked(const load::ModuleList& list, std::uint32_t modules) {
  if (list.count < kLeastIndexed || __atomic_load_n(&list.next_look, __ATOMIC_RELAXED) == kNever)
    return;
  // Readers may lose each other's counts: it is an estimate.
  std::uint64_t now = __atomic_load_n(&list.asked, __ATOMIC_RELAXED);
  __atomic_store_n(&list.asked, now + modules, __ATOMIC_RELAXED);
}

/// Might it pay to make a table? Cheap; for readers.
inline bool asked_enough(const load::ModuleList* list) {
  return list != nullptr && __atomic_load_n(&list->asked, __ATOMIC_RELAXED) >=
                                __atomic_load_n(&list->next_look, __ATOMIC_RELAXED);
}

/// Makes the table of a list if it pays. Needs: the load lock.
void consider_index(load::ModuleList& list);

/// Gives the table of `old` to `list`, which continues it, if there is room for the new names. From
/// here on `old` must not be continued by another. Needs: the load lock.
void continue_index(load::ModuleList* old, load::ModuleList& list);

/// find_in_list() by the table. False in `known`: it cannot tell, ask each module. Needs:
/// list.names is not nullptr; the request is an ordinary one (is_ordinary).
Definition find_by_index(const load::ModuleList& list, const Request& request, bool& known);

/// Has the request no rule that passes modules over?
inline bool is_ordinary(const Request& r) {
  return r.skip == nullptr && r.purpose != Purpose::copy && !r.leaving_too;
}

}  // namespace myld::scope
