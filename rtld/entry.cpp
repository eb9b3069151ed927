#include "rtld/entry.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/futex_lock.hpp"
#include "loader/sys/log.hpp"
#include "loader/sys/recursive_lock.hpp"

namespace myld {

constinit Readers g_readers;

namespace {

// membarrier(2)
constexpr long kPrivateExpedited = 8, kRegisterPrivateExpedited = 16;

/// Readers without a record count themselves here, by phase.
constinit std::uint32_t g_unknown[2] = {};
constinit std::uint32_t g_unknown_phase = 0;

/// One waits at a time: the phases are turned under it.
constinit sys::FutexLock g_waiting;
constinit bool g_have_membarrier = false;

/// A memory barrier in every thread that runs, or where readers fence themselves, here.
void barrier_everywhere() {
  if (g_have_membarrier) {
    if (arch::syscall(arch::kSysMembarrier, kPrivateExpedited, 0, 0) == 0) return;
    // A forked child of a kernel that does not hand the registration on.
    if (arch::syscall(arch::kSysMembarrier, kRegisterPrivateExpedited, 0, 0) == 0 &&
        arch::syscall(arch::kSysMembarrier, kPrivateExpedited, 0, 0) == 0)
      return;
    // A filter forbids it now. From here on readers fence themselves; what those that did not has
    // in flight is in memory long before this thread runs again.
    g_have_membarrier = false;
    __atomic_store_n(&g_readers.need_no_fences, false, __ATOMIC_SEQ_CST);
    std::uint32_t never = 0;
    constexpr std::uint64_t kTenMilliseconds = 10'000'000;
    sys::futex_wait_for(&never, 0, kTenMilliseconds);
  }
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/// Is no thread in a section that began in the other phase than now?
bool all_in_this_phase(tls::State& s) {
  std::uint32_t phase = g_readers.phase;
  bool done = true;
  s.lock.lock();
  for (tls::Thread* t = s.threads.next; done && t != &s.threads; t = t->next) {
    std::uint32_t now = __atomic_load_n(&t->reading, __ATOMIC_ACQUIRE);
    done = (now & Readers::kDepth) == 0 || ((now ^ phase) & Readers::kPhase) == 0;
  }
  s.lock.unlock();
  return done;
}

/// Sections are short and take no lock but for notes of dependencies; a reader that was preempted
/// needs the processor more than this thread does.
template <class Done>
void wait_until(Done done) {
  for (int spins = 0; !done(); ++spins)
    if (spins > 100) arch::syscall(arch::kSysSchedYield);
}

void wait_for_unknown_readers() {
  for (int round = 0; round < 2; ++round) {
    std::uint32_t old = __atomic_fetch_xor(&g_unknown_phase, 1, __ATOMIC_SEQ_CST) & 1;
    wait_until([&] { return __atomic_load_n(&g_unknown[old], __ATOMIC_SEQ_CST) == 0; });
  }
}

}  // namespace

std::uint32_t ReadSection::enter_unknown() {
  std::uint32_t phase = __atomic_load_n(&g_unknown_phase, __ATOMIC_RELAXED) & 1;
  __atomic_add_fetch(&g_unknown[phase], 1, __ATOMIC_SEQ_CST);
  return phase;
}

void ReadSection::leave_unknown(std::uint32_t phase) {
  __atomic_sub_fetch(&g_unknown[phase], 1, __ATOMIC_SEQ_CST);
}

void prepare_readers_for_threads() {
  static constinit bool prepared = false;
  if (prepared) return;
  prepared = true;
  // With one thread the kernel has nothing to wait for; later it might take milliseconds.
  g_have_membarrier = arch::syscall(arch::kSysMembarrier, kRegisterPrivateExpedited, 0, 0) == 0;
  if (!g_have_membarrier) __atomic_store_n(&g_readers.need_no_fences, false, __ATOMIC_SEQ_CST);
}

void wait_for_readers() {
  tls::State& s = the_runtime().tls;
  g_waiting.lock();
  // After this a reader that is not seen in a section finds what was published before.
  barrier_everywhere();
  wait_until([&] { return all_in_this_phase(s); });
  __atomic_store_n(&g_readers.phase, g_readers.phase ^ Readers::kPhase, __ATOMIC_SEQ_CST);
  barrier_everywhere();
  wait_until([&] { return all_in_this_phase(s); });
  wait_for_unknown_readers();
  g_waiting.unlock();
}

void forget_readers_in_child() {
  tls::State& s = the_runtime().tls;
  for (tls::Thread* t = s.threads.next; t != &s.threads; t = t->next) t->reading = 0;
  g_unknown[0] = g_unknown[1] = 0;
  g_waiting.reset();
}

void lock_load(Runtime& runtime) { runtime.load_lock->lock(); }
void unlock_load(Runtime& runtime) { runtime.load_lock->unlock(); }

void fatal_lookup(const Runtime& runtime, const Error& error) {
  log::failure_if_wanted(error);
  char text[1024];
  std::size_t n = render(error, text, sizeof text - 1);
  text[n] = '\n';
  const char* program =
      runtime.argv != nullptr && runtime.argv[0] != nullptr ? runtime.argv[0] : "<program>";
  const char* what = ": symbol lookup error: ";
  sys::write_all(2, program, strlen(program));
  sys::write_all(2, what, strlen(what));
  sys::write_all(2, text, n + 1);
  sys::exit(127);
}

}  // namespace myld
