// LD_DEBUG's longer reports: scopes, statistics.
#pragma once
#include "rtld/runtime.hpp"

namespace myld::debug {

/// LD_DEBUG=scopes: where a module's references are looked up.
void log_scopes(const load::Module& module);
/// The same for all modules of the start.
void log_initial_scopes(const Runtime& runtime);

/// When the passes of the start were, in nanoseconds of CLOCK_MONOTONIC. Taken only for
/// LD_DEBUG=statistics.
struct Times {
  std::uint64_t begin = 0, loading = 0, loaded = 0, relocating = 0, relocated = 0;
};
/// LD_DEBUG=statistics: times and numbers of relocations, before the program runs.
void log_statistics(const Runtime& runtime, const Times& times);
/// At the end, with what was bound lazily.
void log_final_statistics(const Runtime& runtime);

}  // namespace myld::debug
