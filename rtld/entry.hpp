// What the entry points of a running process share: the lock that changes are made under, and the
// promise to readers that what they look at stays.
#pragma once
#include "rtld/runtime.hpp"

namespace myld {

/// The load lock: recursive, held while modules are added or taken away, never while foreign code
/// runs. Its memory is libc's (abi adapter), so that a forked child finds it free.
void lock_load(Runtime& runtime);
void unlock_load(Runtime& runtime);

class LoadGuard {
public:
  explicit LoadGuard(Runtime& runtime) : runtime_(runtime) { lock_load(runtime_); }
  ~LoadGuard() { unlock_load(runtime_); }
  LoadGuard(const LoadGuard&) = delete;
  LoadGuard& operator=(const LoadGuard&) = delete;

private:
  Runtime& runtime_;
};

/// While one exists, no module that could be found at its start is unmapped and no scope that could
/// be read is freed. Costs two atomic operations on the thread's own counter; may nest;
/// async-signal-safe.
class ReadSection {
public:
  ReadSection();
  ~ReadSection();
  ReadSection(const ReadSection&) = delete;
  ReadSection& operator=(const ReadSection&) = delete;

private:
  std::uint32_t slot_;
};

/// Waits until every ReadSection that began before the call has ended.
void wait_for_readers();

/// In a forked child: the readers of other threads are not there.
void forget_readers_in_child();

/// Must `user` note that it is bound to `provider`, so that the latter is not unloaded first? The
/// note is made under the load lock, which a reader must not wait for: it leaves its section, takes
/// the lock, looks the symbol up again and then calls relocate::add_dependency.
inline bool needs_note(const load::Module& user, const load::Module& provider) {
  return &user != &provider && !provider.from_start && !provider.permanent;
}

/// Prints "PROGRAM: symbol lookup error: TEXT" and ends the process with status 127.
[[noreturn]] void fatal_lookup(const Runtime& runtime, const Error& error);

}  // namespace myld
