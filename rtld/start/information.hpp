// What the loader tells of itself: --help, --version, --list-tunables, --list-diagnostics.
#pragma once
#include "rtld/start/command_line.hpp"

namespace myld::start {

/// Prints what was asked for. Needs: the environment read, tunables read.
void print_information(Runtime& runtime, Request request);

}  // namespace myld::start
