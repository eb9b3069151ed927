// When each step of the start was: for --trace and --report. Costs one load and a branch where
// nobody asked.
#pragma once
#include "loader/heap/vec.hpp"
#include "loader/sys/calls.hpp"

namespace myld::timeline {

struct Event {
  const char* what;        ///< "search", "open", "map", "relocate", "init", "pass"
  const char* name;        ///< heap string
  const char* failure;     ///< why it failed, or nullptr
  std::uint64_t from, to;  ///< nanoseconds of CLOCK_MONOTONIC
};

/// Set at the start, once, where it is asked for.
inline constinit Vec<Event>* g_events = nullptr;

/// One step, from its making to its end. Out of memory: the step is not told.
class Span {
public:
  Span(const char* what, const char* name) {
    if (__builtin_expect(g_events == nullptr, 1)) return;
    event_ = {what, copy_string(name), nullptr, sys::monotonic_ns(), 0};
  }
  ~Span() {
    if (event_.name == nullptr || g_events == nullptr) return;
    event_.to = sys::monotonic_ns();
    static_cast<void>(g_events->push(event_));
  }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;
  void failed(const char* why) { event_.failure = why; }

private:
  Event event_{};
};

}  // namespace myld::timeline
