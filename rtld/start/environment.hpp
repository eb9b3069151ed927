// The environment variables that steer the loader. Source: ld.so(8).
#pragma once
#include "rtld/runtime.hpp"

namespace myld::start {

/// Is this process one whose environment its user must not be able to steer the loader with? True
/// if AT_SECURE says so, or user or group IDs differ, or the auxv does not tell. Read before
/// anything else.
bool is_secure(const sys::InitialStack& stack);

/// Gives the permissions that `list` names (docs/policy.md), words with commas between them.
/// Returns the first word that is none, or nullptr.
const char* allow(load::Policy& policy, const char* list);

/// Secure execution: a closed descriptor 0, 1 or 2 is opened on /dev/null, so that no file that the
/// program opens later takes its place. Errors: no_standard_descriptor.
Status open_standard_descriptors();

/// Reads the LD_ variables into `runtime`. In secure execution none is read, and those that could
/// steer libc or other programs are taken out of the environment in place.
void read_environment(Runtime& runtime);

}  // namespace myld::start
