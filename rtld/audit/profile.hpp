// LD_PROFILE: which functions of one library are called, from where and how often, and where its
// time goes, for sprof(1).
//
// The profiler is an auditor that is built in: its la_symbind64 keeps the slots that lead into the
// library unbound, and its la_pltenter counts. Calls are seen as auditors see them, so those of
// objects that are bound when they are loaded are not. The time is taken by libc's profil(3).
//
// The file is mapped and shared: counts of one run are added to those of the runs before it, of
// several processes too.
//
// Source: sprof(1); ld.so(8), LD_PROFILE; <sys/gmon_out.h> for the header's and the tables' form.
#pragma once
#include "rtld/audit/audit.hpp"

namespace myld::audit {

/// Begins to look for the library that is `name`d, by soname or as it was asked for; its file will
/// be DIRECTORY/NAME.profile. Both strings must last. Needs: before any module is told of. False:
/// there are too many auditors.
bool add_profiler(State& state, const char* name, const char* directory);

/// Is `module` the library? Then its file is made. Needs: its link_map; before la_objopen.
void look_for_profiled(std::uint64_t page_size, const Module& module);
/// The module is on its way out.
void forget_profiled(const Module& module);

/// The counters of the library's time: one for each bytes / 2 part of its text.
struct TimeCounters {
  std::uint16_t* counters;
  std::size_t bytes;
  std::uintptr_t from;  ///< the text's run address
  std::size_t text_bytes;
};
/// Asked once libc can be called. bytes == 0: there is nothing to take, or it is taken already.
TimeCounters time_to_take();

}  // namespace myld::audit
