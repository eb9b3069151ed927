// What the start says when something is missing, and the lists of --list and --verify.
#pragma once
#include "rtld/runtime.hpp"

namespace myld::start {

/// Collects errors of the start: each is printed when it comes, with the program's name in front,
/// and the start ends at the next barrier.
class StartErrors {
public:
  explicit StartErrors(Runtime& runtime) : runtime_(runtime) {}

  load::ErrorSink sink() { return {&StartErrors::report, this}; }
  /// Something that is told but does not stop the start.
  void warn(const Error& error);
  void fail(const Error& error);
  /// Ends the process with status 127 if anything failed.
  void stop_if_any() const;

  std::uint32_t count = 0;

private:
  static bool report(void* self, const Error& error);
  void explain_search(const Error& error);

  Runtime& runtime_;
};

/// Prints the modules as ldd(1) shows them, and ends the process.
[[noreturn]] void
list_modules(Runtime& runtime, std::span<load::Module* const> modules, const StartErrors& errors);

}  // namespace myld::start
