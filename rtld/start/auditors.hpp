// LD_AUDIT, --audit, and the auditors that a program names itself.
#pragma once
#include "rtld/start/report.hpp"

namespace myld::start {

/// Does anybody ask for an auditor?
bool wants_auditors(const Runtime& runtime);

/// Loads the auditors, each with its constructors, in the order of LD_AUDIT, --audit, DT_AUDIT,
/// DT_DEPAUDIT of the program, and tells them of the modules there are: the program, the loader and
/// the vDSO. What cannot be loaded is reported and left out. Needs: the first modules
/// with their link_maps, the first thread.
void load_auditors(Runtime& runtime, StartErrors& errors);

/// Where LD_PROFILE's file goes.
const char* profile_directory(const Runtime& runtime);

}  // namespace myld::start
