// What is to be loaded before the program's own libraries.
#pragma once
#include "loader/load/loader.hpp"
#include "rtld/runtime.hpp"

namespace myld::start {

/// LD_PRELOAD, --preload and /etc/ld.so.preload, in that order. What cannot be loaded is reported
/// and left out.
void add_preloads(Runtime& runtime, Vec<load::Module*>& created, const load::ErrorSink& sink);

}  // namespace myld::start
