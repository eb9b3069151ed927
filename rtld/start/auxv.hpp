// LD_SHOW_AUXV. Source: ld.so(8), getauxval(3).
#pragma once
#include "loader/sys/stack.hpp"

namespace myld::start {

/// Prints the auxiliary vector to standard output, an entry a line, as ld.so does.
void show_auxv(const sys::InitialStack& stack);

}  // namespace myld::start
