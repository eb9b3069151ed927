// LD_DEBUG: what the loader tells while it works. Every line begins with the process's number, so
// that the output of a family of processes can be told apart; the words are those of ld.so, which
// people and scripts know. Costs one load and a branch where it is off.
// Source: ld.so(8), LD_DEBUG.
#pragma once
#include "loader/base/result.hpp"
#include "loader/sys/text.hpp"

namespace myld::log {

enum Category : std::uint32_t {
  kLibs = 1 << 0,
  kReloc = 1 << 1,
  kFiles = 1 << 2,
  kSymbols = 1 << 3,
  kBindings = 1 << 4,
  kVersions = 1 << 5,
  kScopes = 1 << 6,
  kStatistics = 1 << 7,
  kUnused = 1 << 8,
  kTls = 1 << 9,
  kHelp = 1 << 10,
  /// "all"
  kAll = kLibs | kReloc | kFiles | kSymbols | kBindings | kVersions | kScopes | kTls,
  /// Calls of constructors and destructors: told with any of these.
  kCalls = kLibs | kReloc | kFiles | kSymbols | kBindings | kVersions,
};

/// The categories that a value of LD_DEBUG names, separated by spaces, commas or colons. What it
/// does not know it says on standard error.
std::uint32_t parse(const char* value);

/// Turns `categories` on. `file`: LD_DEBUG_OUTPUT, to which the process's number is added, or
/// nullptr for standard error; where it cannot be made, standard output is taken. Called at the
/// start, once.
void start(std::uint32_t categories, const char* file);

/// The text of LD_DEBUG=help.
void print_help();

/// Written by start(), read everywhere.
extern constinit std::uint32_t g_categories;
inline bool wants(std::uint32_t categories) {
  return __builtin_expect((g_categories & categories) != 0, 0);
}

/// One line, written when it goes out of scope.
class Line {
public:
  [[gnu::cold]] Line();
  ~Line() { text_ << '\n'; }
  template <class T>
  Line& operator<<(const T& what) {
    text_ << what;
    return *this;
  }

private:
  sys::Text text_;
};

/// Writes one line of `what`. A function of its own, so that the line's buffer is on the stack of
/// those alone that write one: dlopen works in a thread of PTHREAD_STACK_MIN.
template <class... T>
[[gnu::cold, gnu::noinline]] void line(T... what) {
  Line line;
  (line << ... << what);
}

/// Tells of an error that is about to be handed to the program, which may not show it, or to end
/// it. `goes_on`: the loader looks for more of them.
[[gnu::cold]] void failure(const Error& error, bool goes_on = false);
/// The same where any category but the statistics is wanted.
inline void failure_if_wanted(const Error& error, bool goes_on = false) {
  if (wants(kAll)) failure(error, goes_on);
}

/// A name and the namespace that it is in, as "name [0]".
struct In {
  const char* name;
  long ns;
};
inline Line& operator<<(Line& line, const In& in) {
  return line << in.name << " [" << sys::Decimal{static_cast<std::uint64_t>(in.ns)} << ']';
}

}  // namespace myld::log
