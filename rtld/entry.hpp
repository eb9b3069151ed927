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

/// How readers and those who wait for them agree. Each thread's record holds how deep it is in read
/// sections and the phase that the outermost one began in, written by that thread alone, with plain
/// stores. Who waits makes the kernel run a memory barrier in every running thread, so readers need
/// none; and waits for both phases in turn, since a reader may have read the phase and not yet
/// stored it. Source: userspace RCU (Desnoyers et al., 2012), the membarrier flavour.
struct Readers {
  static constexpr std::uint32_t kDepth = 0xffff, kPhase = 0x10000;
  std::uint32_t phase = 1;     ///< kPhase or not, and the depth 1 of who enters
  bool need_no_fences = true;  ///< there is one thread, or membarrier(2) works
};
extern constinit Readers g_readers;

/// While one exists, no module that could be found at its start is unmapped and no scope that could
/// be read is freed. Costs a few loads and stores in the thread's own memory; may nest;
/// async-signal-safe: what a handler adds it takes away again.
class ReadSection {
public:
  [[gnu::always_inline]] ReadSection() : thread_(tls::current_thread()) {
    if (thread_ == nullptr) [[unlikely]] {
      unknown_phase_ = enter_unknown();
      return;
    }
    std::uint32_t now = __atomic_load_n(&thread_->reading, __ATOMIC_RELAXED);
    std::uint32_t next = (now & Readers::kDepth) == 0
                             ? __atomic_load_n(&g_readers.phase, __ATOMIC_RELAXED)
                             : now + 1;
    __atomic_store_n(&thread_->reading, next, __ATOMIC_RELAXED);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&g_readers.need_no_fences, __ATOMIC_RELAXED)) [[unlikely]]
      __atomic_thread_fence(__ATOMIC_SEQ_CST);
  }
  [[gnu::always_inline]] ~ReadSection() {
    if (thread_ == nullptr) [[unlikely]] {
      leave_unknown(unknown_phase_);
      return;
    }
    std::uint32_t now = __atomic_load_n(&thread_->reading, __ATOMIC_RELAXED);
    __atomic_store_n(&thread_->reading, now - 1, __ATOMIC_RELEASE);
  }
  ReadSection(const ReadSection&) = delete;
  ReadSection& operator=(const ReadSection&) = delete;

private:
  /// A thread that libc did not make, or does not know any more.
  static std::uint32_t enter_unknown();
  static void leave_unknown(std::uint32_t phase);
  tls::Thread* thread_;
  std::uint32_t unknown_phase_ = 0;
};

/// To be called while there is one thread, before there are more.
void prepare_readers_for_threads();

/// Waits until every ReadSection that began before the call has ended.
void wait_for_readers();

/// In a forked child: the readers of other threads are not there. Needs: no lock is held.
void forget_readers_in_child();

/// Must `user` note that it is bound to `provider`, so that the latter is not unloaded first? The
/// note is made under the load lock, which a reader must not wait for: it leaves its section, takes
/// the lock, looks the symbol up again and then calls relocate::add_dependency. True as well where
/// that finds the note made already, but not for what is bound to again and again.
inline bool needs_note(const load::Module& user, const load::Module& provider) {
  if (&user == &provider || provider.from_start || provider.permanent) return false;
  if (__atomic_load_n(&provider.bound_for_good, __ATOMIC_RELAXED)) return false;
  if (__atomic_load_n(&user.last_noted, __ATOMIC_RELAXED) == &provider) return false;
  // `needed` changes only before others can see the module, and when nobody uses it any more.
  return user.needed.size() > 8 || !user.needed.contains(const_cast<load::Module*>(&provider));
}

/// Prints "PROGRAM: symbol lookup error: TEXT" and ends the process with status 127.
[[noreturn]] void fatal_lookup(const Runtime& runtime, const Error& error);

}  // namespace myld
