// LeakSanitizer looks for pointers in globals, stacks, registers and memory of its own malloc. TLS
// blocks of modules that are opened late lie in the loader's memory, where it does not look; so it
// is told of them, by the interface that it has for that. Source: <sanitizer/lsan_interface.h>,
// __lsan_register_root_region.
#pragma once
#include "rtld/runtime.hpp"

namespace myld::dlopen {

/// If the process has a leak checker, lets it know of every TLS block that is made from now on.
/// Needs: the load lock.
void tell_leak_checker(Runtime& runtime);

}  // namespace myld::dlopen
