// The block on the initial stack - argc, argv, envp, auxv - as the program is to see it.
#pragma once
#include "rtld/runtime.hpp"

#include <span>

namespace myld::start {

/// Puts "NAME=value" entries into the environment, in the place of those of the same name. The
/// names differ, and as pointers they fit into sys::kRoomBelow. Needs: not in secure execution.
void set_environment(Runtime& runtime, std::span<char* const> entries);

/// Takes the loader's own arguments off the stack block: argc, argv, envp and auxv move together,
/// so that the program sees the block as the kernel would have made it.
void shift_stack(Runtime& runtime, int first_argument);

}  // namespace myld::start
