#include "rtld/init/gate.hpp"

#include "loader/sys/calls.hpp"
#include "rtld/tls/tls.hpp"

namespace myld::init {
namespace {

constexpr std::uint64_t kLongestWaitNs = 50'000'000;

constinit std::uint32_t g_inside = 0;   // threads in foreign code; a futex word
constinit std::uint32_t g_forking = 0;  // forks under way; a futex word

std::uint32_t load(const std::uint32_t& word) { return __atomic_load_n(&word, __ATOMIC_SEQ_CST); }

/// Waits until done(value of `word`), at most kLongestWaitNs.
template <class Done>
void wait_bounded(std::uint32_t& word, Done done) {
  std::uint64_t end = 0;
  for (std::uint32_t value = load(word); !done(value); value = load(word)) {
    std::uint64_t now = sys::monotonic_ns();
    if (end == 0) end = now + kLongestWaitNs;
    if (now >= end) return;
    sys::futex_wait_for(&word, value, end - now);
  }
}

bool is_zero(std::uint32_t value) { return value == 0; }

std::uint32_t own_share() {
  const tls::Thread* t = tls::current_thread();
  return t != nullptr && t->foreign_depth != 0 ? 1 : 0;
}

void leave() {
  __atomic_sub_fetch(&g_inside, 1, __ATOMIC_SEQ_CST);
  if (load(g_forking) != 0) sys::futex_wake(&g_inside, INT32_MAX);
}

}  // namespace

ForeignCode::ForeignCode() {
  tls::Thread* t = tls::current_thread();
  if (t == nullptr || t->foreign_depth++ != 0) return;
  __atomic_add_fetch(&g_inside, 1, __ATOMIC_SEQ_CST);
  if (load(g_forking) == 0) return;
  leave();
  wait_bounded(g_forking, is_zero);
  __atomic_add_fetch(&g_inside, 1, __ATOMIC_SEQ_CST);
}

ForeignCode::~ForeignCode() {
  tls::Thread* t = tls::current_thread();
  if (t != nullptr && --t->foreign_depth == 0) leave();
}

void wait_for_foreign_code() {
  __atomic_add_fetch(&g_forking, 1, __ATOMIC_SEQ_CST);
  std::uint32_t mine = own_share();
  wait_bounded(g_inside, [mine](std::uint32_t inside) { return inside <= mine; });
}

void release_foreign_code() {
  if (__atomic_sub_fetch(&g_forking, 1, __ATOMIC_SEQ_CST) == 0)
    sys::futex_wake(&g_forking, INT32_MAX);
}

void release_foreign_code_in_child() {
  __atomic_store_n(&g_forking, 0, __ATOMIC_SEQ_CST);
  __atomic_store_n(&g_inside, own_share(), __ATOMIC_SEQ_CST);
}

}  // namespace myld::init
