// The size of static TLS as libc knows it. pthread_create reads _dl_tls_static_size for each
// thread, so it may change as long as there is none but the first. The word lies among pointers
// that libc calls through: its page is read-only, is opened for the one store, and sealed with the
// second thread.
#include "loader/sys/calls.hpp"
#include "rtld/glibc/adapter.hpp"
#include "rtld/glibc/record.hpp"
#include "rtld/glibc/storage.hpp"

namespace myld::glibc {
namespace {

std::uint64_t* size_word() {
  return static_cast<std::uint64_t*>(
      Record(_rtld_global_ro).at(g_adapter.layout->rtld_global_ro._dl_tls_static_size));
}

void* page_of(const void* at) {
  return reinterpret_cast<void*>(
      round_down(reinterpret_cast<std::uintptr_t>(at), the_runtime().loader.page_size));
}

/// Bytes of a thread's stack if its creator names no size: libc takes them from RLIMIT_STACK, and
/// the least of what any ISA has where there is no limit (ARCH_STACK_DEFAULT_SIZE).
std::uint64_t usual_stack_bytes() {
  std::uint64_t limit = sys::stack_limit();
  return limit == sys::kNoLimit ? std::uint64_t{2} << 20 : limit;
}

}  // namespace

bool change_static_size(std::uint64_t bytes) {
  std::uint64_t* word = size_word();
  // Up to 2.33 libpthread keeps the figure that it was told at its start.
  if (word == nullptr) return false;
  // What threads are given comes off their stacks, which must stay of use.
  if (bytes > *word && bytes > usual_stack_bytes() / 2) return false;
  if (!the_runtime().started) {  // for an auditor: the page is not read-only yet
    *word = bytes;
    return true;
  }
  std::uint64_t page_size = the_runtime().loader.page_size;
  void* page = page_of(word);
  if (sys::protect(page, page_size, sys::kProtRead | sys::kProtWrite) < 0) return false;
  std::uint64_t before = *word;
  __atomic_store_n(word, bytes, __ATOMIC_RELAXED);
  if (sys::protect(page, page_size, sys::kProtRead) == 0) return true;
  *word = before;
  return false;
}

void seal_static_size() {
  if (const void* word = size_word()) sys::seal(page_of(word), the_runtime().loader.page_size);
}

}  // namespace myld::glibc
