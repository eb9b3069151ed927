// fork(2) in a threaded program: the child must find the loader whole, whatever other threads were
// doing. libc only makes two of its locks new; so the loader's locks are taken before the fork, as
// pthread_atfork(3) allows, and given back on both sides.
#include "loader/heap/heap.hpp"
#include "rtld/entry.hpp"
#include "rtld/glibc/adapter.hpp"
#include "rtld/init/gate.hpp"
#include "rtld/init/run.hpp"
#include "rtld/scope/lookup.hpp"

namespace myld::glibc {
namespace {

void before_fork() {
  // The chain changes under both its lock and the load lock, so the latter is enough; and a thread
  // that is inside dl_iterate_phdr, whose callback may take its time, holds the former.
  Runtime& r = the_runtime();
  init::wait_for_foreign_code();
  r.load_lock->lock();
  r.tls.lock.lock();
  scope::lock_unique_symbols();
  heap::lock();
}

void in_parent() {
  Runtime& r = the_runtime();
  heap::unlock();
  scope::unlock_unique_symbols();
  r.tls.lock.unlock();
  r.load_lock->unlock();
  init::release_foreign_code();
}

void in_child() {
  Runtime& r = the_runtime();
  heap::reset_lock_in_child();
  scope::unlock_unique_symbols();
  r.tls.lock.reset();
  r.load_lock->reset();
  r.chain_lock->reset();
  forget_readers_in_child();
  init::forget_other_threads(r);
  init::release_foreign_code_in_child();
}

}  // namespace

void register_fork_handlers(Runtime& runtime) {
  using Register = int (*)(void (*)(), void (*)(), void (*)(), void*);
  // Registered first, so its prepare handler runs last: those of the program may still call dlopen.
  if (auto* function = find_in_libc(*runtime.first.libc, "__register_atfork"))
    reinterpret_cast<Register>(function)(before_fork, in_parent, in_child, nullptr);
}

}  // namespace myld::glibc
