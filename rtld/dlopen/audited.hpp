// Where the loading of modules meets rtld/audit.
#pragma once
#include "rtld/runtime.hpp"

namespace myld::dlopen {

/// From here on new modules are told of and names are searched with the auditors' say.
void start_auditing(Runtime& runtime);

/// Loads an auditor, with its constructors, into a namespace of its own, and calls its la_version.
/// Gives: it is among runtime.audit; or not, where la_version returned 0.
/// Errors: as dlmopen; auditor_without_version, auditor_version, too_many_auditors.
Status load_auditor(Runtime& runtime, const char* name);

/// Tells of a module that was mapped before auditing started.
bool tell_of(Runtime& runtime, load::Module& module);

/// LD_PROFILE: has the time of the library taken from now on, if it is there and that was not done
/// yet. Needs: libc can be called.
void take_profile(Runtime& runtime);

}  // namespace myld::dlopen
