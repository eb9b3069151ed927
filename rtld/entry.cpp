#include "rtld/entry.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/recursive_lock.hpp"

namespace myld {
namespace {

// Readers count themselves in and out in one of a few cache lines, chosen by thread; the writer
// flips the phase and waits for the old phase's counters to drain. Two phases, so that new readers
// never delay a waiting writer. Source: the "userspace RCU" grace-period idea (Desnoyers et al.,
// 2012).
constexpr std::uint32_t kLines = 16;

struct alignas(64) ReaderLine {
  std::uint32_t count[2];
};
constinit ReaderLine g_readers[kLines] = {};
constinit std::uint32_t g_phase = 0;

std::uint32_t line_of_thread() {
  std::uintptr_t tp = arch::thread_pointer();
  return static_cast<std::uint32_t>((tp >> 12) ^ (tp >> 18)) % kLines;
}

bool drained(std::uint32_t phase) {
  for (const ReaderLine& line : g_readers)
    if (__atomic_load_n(&line.count[phase], __ATOMIC_SEQ_CST) != 0) return false;
  return true;
}

}  // namespace

ReadSection::ReadSection() {
  std::uint32_t line = line_of_thread();
  std::uint32_t phase = __atomic_load_n(&g_phase, __ATOMIC_RELAXED) & 1;
  slot_ = line * 2 + phase;
  __atomic_add_fetch(&g_readers[line].count[phase], 1, __ATOMIC_SEQ_CST);
}

ReadSection::~ReadSection() {
  __atomic_sub_fetch(&g_readers[slot_ / 2].count[slot_ % 2], 1, __ATOMIC_SEQ_CST);
}

void wait_for_readers() {
  // Both phases must drain once: a reader may have read the old phase and not yet counted itself.
  for (int round = 0; round < 2; ++round) {
    std::uint32_t old = __atomic_fetch_xor(&g_phase, 1, __ATOMIC_SEQ_CST) & 1;
    // Sections are short and take no lock but for notes of dependencies; a reader that was
    // preempted needs the processor more than this thread does.
    for (int spins = 0; !drained(old); ++spins)
      if (spins > 100) arch::syscall(arch::kSysSchedYield);
  }
}

void forget_readers_in_child() {
  for (ReaderLine& line : g_readers) line = {};
}

void lock_load(Runtime& runtime) { runtime.load_lock->lock(); }
void unlock_load(Runtime& runtime) { runtime.load_lock->unlock(); }

void fatal_lookup(const Runtime& runtime, const Error& error) {
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
