// `myld [options] program args`. Source: ld.so(8), "OPTIONS".
#pragma once
#include "rtld/runtime.hpp"

namespace myld::start {

/// What the options ask for instead of a program, or besides one.
enum class Request : std::uint8_t { program, help, version, tunables, diagnostics };

struct CommandLine {
  int program_index = 0;  ///< in argv; 0: none was named
  Request request = Request::program;
  Error error;  ///< unknown_option, missing_argument
};

/// Reads the options in front of the program's name into `runtime`. Both "--name value" and
/// "--name=value" are taken; "--" ends the options.
CommandLine parse(Runtime& runtime);

/// The table of options, a line for each, for --help.
void print_options();

}  // namespace myld::start
