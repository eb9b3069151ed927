// --explain: where a symbol or a library comes from, without running any code: who asks for it, who
// provides it, who is shadowed and by which rule.
#pragma once
#include "rtld/runtime.hpp"

namespace myld::start {

/// `what`: a library (it has ".so" in it, or it is the name of one of the closure), else a symbol,
/// "NAME" or "NAME@VERSION". Returns the exit status: 0; 1 if nobody asks for it and nobody has it.
int explain(Runtime& runtime, const char* what, std::span<load::Module* const> closure);

}  // namespace myld::start
