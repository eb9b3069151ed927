// A recursive lock whose memory has the shape of the system's pthread_mutex_t, so that libc and the
// loader can take the same one and libc can make it new in a forked child.
// Source: <bits/struct_mutex.h>: lock, count, owner, nusers, kind; kind 1 is recursive.
#pragma once
#include "loader/sys/thread_id.hpp"

#include <cstdint>

namespace myld::sys {

class RecursiveLock {
public:
  void lock() {
    if (try_lock()) return;
    while (__atomic_exchange_n(&word_, 2, __ATOMIC_ACQUIRE) != 0) futex_wait(&word_, 2);
    taken_by(thread_id());
  }

  /// False: another thread has it.
  bool try_lock() {
    std::int32_t me = thread_id();
    if (__atomic_load_n(&owner_, __ATOMIC_RELAXED) == me) {
      ++count_;
      return true;
    }
    std::uint32_t expected = 0;
    if (!__atomic_compare_exchange_n(&word_, &expected, 1, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
      return false;
    taken_by(me);
    return true;
  }

  void unlock() {
    if (--count_ != 0) return;
    __atomic_store_n(&owner_, 0, __ATOMIC_RELAXED);
    --nusers_;
    if (__atomic_exchange_n(&word_, 0, __ATOMIC_RELEASE) == 2) futex_wake(&word_, 1);
  }

  bool held_by_caller() const { return __atomic_load_n(&owner_, __ATOMIC_RELAXED) == thread_id(); }

  /// In a forked child.
  void reset() {
    count_ = 0;
    owner_ = 0;
    nusers_ = 0;
    kind_ = 1;
    __atomic_store_n(&word_, 0, __ATOMIC_RELEASE);
  }

private:
  void taken_by(std::int32_t thread) {
    __atomic_store_n(&owner_, thread, __ATOMIC_RELAXED);
    count_ = 1;
    ++nusers_;
  }

  std::uint32_t word_ = 0;
  std::uint32_t count_ = 0;
  std::int32_t owner_ = 0;
  std::uint32_t nusers_ = 0;
  std::int32_t kind_ = 1;
  [[maybe_unused]] std::uint32_t rest_[7] = {};  // up to the 48 bytes of the largest ISA's mutex
};
static_assert(sizeof(RecursiveLock) == 48);

}  // namespace myld::sys
