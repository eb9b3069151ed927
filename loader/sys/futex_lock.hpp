// A lock of one word that needs no libc. 0 free, 1 taken, 2 taken and waited for.
// Source: futex(2); Drepper, "Futexes Are Tricky", mutex 2.
#pragma once
#include "loader/sys/calls.hpp"

#include <cstdint>

namespace myld::sys {

class FutexLock {
public:
  void lock() {
    std::uint32_t expected = 0;
    if (__atomic_compare_exchange_n(&word_, &expected, 1, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
      return;
    while (__atomic_exchange_n(&word_, 2, __ATOMIC_ACQUIRE) != 0) futex_wait(&word_, 2);
  }
  void unlock() {
    if (__atomic_exchange_n(&word_, 0, __ATOMIC_RELEASE) == 2) futex_wake(&word_, 1);
  }
  /// In a forked child: whoever held it is not there.
  void reset() { __atomic_store_n(&word_, 0, __ATOMIC_RELEASE); }

private:
  std::uint32_t word_ = 0;
};

}  // namespace myld::sys
