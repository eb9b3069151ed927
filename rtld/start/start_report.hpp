// --trace and --report: the start of the program as a Chrome trace, and as one page to look at.
#pragma once
#include "rtld/runtime.hpp"

namespace myld::start {

/// Begins to note when each step is.
void start_timeline();

/// Writes what was asked for, before the program runs. Says on standard error what cannot be
/// written.
void write_start_reports(Runtime& runtime, std::span<load::Module* const> closure);

}  // namespace myld::start
