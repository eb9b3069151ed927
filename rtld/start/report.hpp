// What the start says when something is missing.
#pragma once
#include "rtld/runtime.hpp"
#include "rtld/start/failures.hpp"

namespace myld::start {

/// A library that LD_TRACE_LOADED_OBJECTS shows as not found.
struct Missing {
  const char* name;   ///< as it was asked for (heap string)
  std::size_t after;  ///< how many modules the namespace had then
};

/// Collects errors of the start: each is printed when it comes, with the program's name in front,
/// and the start ends at the next barrier.
class StartErrors {
public:
  explicit StartErrors(Runtime& runtime) : runtime_(runtime) {}

  load::ErrorSink sink() { return {&StartErrors::report, this}; }
  /// Something that is told but does not stop the start.
  void warn(const Error& error);
  void fail(const Error& error);
  /// Ends the process with `status` if anything failed, and tells all that did.
  void stop_if_any(int status = 127);

  std::uint32_t count = 0;
  Vec<Missing> missing;  ///< Mode::trace: not errors, but lines of the list

  Failures failures;

private:
  static bool report(void* self, const Error& error);
  bool note_missing(const Error& error);

  Runtime& runtime_;
};

}  // namespace myld::start
