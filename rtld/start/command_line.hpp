// `myld [options] program args`. Source: ld.so(8), "OPTIONS".
#pragma once
#include "rtld/runtime.hpp"

namespace myld::start {

struct CommandLine {
  int program_index = 0;  ///< in argv; 0: none was named
  bool help = false;
  bool version = false;
  bool list_tunables = false;
  Error error;  ///< unknown_option, missing_argument
};

/// Reads the options in front of the program's name into `runtime`. Both "--name value" and
/// "--name=value" are taken; "--" ends the options.
CommandLine parse(Runtime& runtime);

void print_help(const Runtime& runtime);
void print_version();

}  // namespace myld::start
