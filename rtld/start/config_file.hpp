// Configuration of one program that its children do not inherit (docs/config.md): --config FILE, or
// the file PROGRAM.myld.conf beside the program, or a note in the program.
#pragma once
#include "rtld/runtime.hpp"

namespace myld::start {

/// Reads the configuration into `runtime`, before anything is searched. In secure execution none is
/// read. Errors: cannot_open (only of a file that was asked for), bad_config with the line's
/// number.
Status read_config(Runtime& runtime);

}  // namespace myld::start
