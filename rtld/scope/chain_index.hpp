// What lies far behind in the chains of a hash table, sorted: so that a table that was made to be
// slow costs what it is large, and not the square of it.
//
// A look-up in a module walks one chain, and an ordinary chain has a handful of entries. A file may
// have all its names in one chain: names that share a hash, versions of one name, a table with one
// bucket. Then each look-up reads all of it. So a walk goes no further than patience() entries by
// itself; what is behind is the rest of the chain, and the module counts the entries of rests that
// were read. When they come to a multiple of its symbols, which no ordinary file reaches, an index
// of all rests is made: an array sorted by name and version, what comes first in its chain in
// front. A look-up in it takes as many steps as its size has bits.
//
// What the index says is what walking the rest says, entry for entry. Without memory there is none,
// and the walk goes on. Names are told apart by hash_string(), which no file can know.
#pragma once
#include "rtld/scope/lookup.hpp"

namespace myld::scope {

/// Entries of a chain that a look-up reads before it asks for the rest. Unit tests and fuzz targets
/// have small files, and change it before the first look-up in a module.
#ifdef MYLD_HOSTED
extern std::uint32_t g_patience;
inline std::uint32_t patience() { return g_patience; }
#else
constexpr std::uint32_t patience() { return 64; }
#endif
/// An index is made when so many entries of rests were read for each symbol of the module: sorting
/// costs about as much.
inline constexpr std::uint32_t kWalkedPerSymbol = 16;

/// What a part of a chain has for a request.
struct Answer {
  const Sym* found = nullptr;     ///< the first entry that is what was asked for
  const Sym* fallback = nullptr;  ///< of a request without a version: the first default one
};

/// True if the module has an index: `answer` is then what it has for the request, with a fallback
/// that was known already kept. Async-signal-safe, takes no lock.
bool find_in_index(const Module& module, const Request& request, Answer& answer);

/// Notes that so many entries of the rest of a chain were read, and makes the index when it is due.
/// Async-signal-safe, takes no lock. Needs: the module is not unmapped meanwhile.
void note_walked(const Module& module, std::uint32_t entries);

}  // namespace myld::scope
