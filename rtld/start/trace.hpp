// What ldd(1) and --list show: the modules of a program and how each was found. The format is
// ld.so's, which scripts parse.
#pragma once
#include "rtld/runtime.hpp"
#include "rtld/start/report.hpp"

namespace myld::start {

/// What was found out, in the order of Start's passes.
struct Traced {
  std::span<load::Module* const> closure;  ///< the program first, breadth-first
  std::span<load::Module* const> order;    ///< the same, dependencies first
  std::span<const Missing> missing;
};

/// Prints what --list, LD_TRACE_LOADED_OBJECTS and the variables that go with it (LD_WARN,
/// LD_BIND_NOW, LD_VERBOSE, LD_DEBUG=unused) ask for and ends the process. Nothing is relocated and
/// no code of the program runs. Needs: modules loaded, versions checked.
[[noreturn]] void trace(Runtime& runtime, const Traced& traced);

}  // namespace myld::start
