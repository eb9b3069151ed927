// The calling thread's kernel ID without a system call, where a libc keeps it in the thread's
// descriptor.
#pragma once
#include "loader/sys/calls.hpp"

namespace myld::sys {

/// Distance from the thread pointer to the 32-bit word that holds the ID; 0 where no libc keeps
/// one.
extern std::ptrdiff_t g_thread_id_offset;

/// gettid(2). libc writes the word before a thread runs, and the kernel does in a forked child.
inline std::int32_t thread_id() {
  if (g_thread_id_offset != 0) {
    auto at = arch::thread_pointer() + static_cast<std::uintptr_t>(g_thread_id_offset);
    if (auto id = *reinterpret_cast<const volatile std::int32_t*>(at); id > 0) return id;
  }
  return static_cast<std::int32_t>(gettid());
}

}  // namespace myld::sys
