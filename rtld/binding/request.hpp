// Whose binding is asked for: the program, and all of the environment that the result depends on.
#pragma once
#include "loader/base/path.hpp"
#include "rtld/runtime.hpp"

namespace myld::binding {

/// May a binding file take part in this start? Not in secure execution, and not where somebody
/// wants to see, or to change, how names are found.
bool may_take_part(const Runtime& runtime);

/// The program's file as the kernel calls it: /proc/self/exe, or what was named on the command
/// line. False: it is not known.
bool program_path(const Runtime& runtime, char (&to)[kPathMax]);

/// The request in words, a line each: program, variables, options, configuration. A heap string, or
/// nullptr.
char* make_key(Runtime& runtime, const char* program);

/// What the CPU says of search directories: a heap string, or nullptr.
char* describe_cpu(Runtime& runtime);

}  // namespace myld::binding
