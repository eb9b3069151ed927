// Keeps fork(2) and the constructors and destructors of other threads apart.
//
// A forked child has one thread; what others were doing stays half done in it for ever. The
// loader's own state is whole, since its locks are held over the fork, but foreign code that the
// loader runs takes foreign locks: libc's exit-function lock, say, in every destructor of a
// library. So a fork waits until nobody is inside such code, and such code waits while a fork is
// under way. Both waits are bounded: a constructor may itself wait for a thread that forks, and
// then the fork goes on as it would without the gate.
#pragma once
#include <cstdint>

namespace myld::init {

/// Stands around a call of constructors or destructors. May nest in one thread.
class ForeignCode {
public:
  ForeignCode();
  ~ForeignCode();
  ForeignCode(const ForeignCode&) = delete;
  ForeignCode& operator=(const ForeignCode&) = delete;
};

/// Before fork(2), with no lock of the loader held.
void wait_for_foreign_code();
/// After it, in the parent and in the child.
void release_foreign_code();
void release_foreign_code_in_child();

}  // namespace myld::init
