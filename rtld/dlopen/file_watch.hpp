// Files that lose pages while they are loaded.
//
// A mapped file that somebody truncates (or overwrites in place, which truncates it first) has
// pages with nothing behind them, and reading one raises SIGBUS. While modules are being loaded the
// loader takes that signal: it puts a page of zeros there, so that the code which reads goes on,
// finds what the checks let through or an error, and the load fails with file_changed as a whole.
// Pages of modules that run already are left alone, and so is every SIGBUS of other threads: those
// go to whoever had the signal before.
//
// Two system calls for a dlopen that maps a file, none for one that does not.
#pragma once
#include "rtld/runtime.hpp"

namespace myld {

/// Needs: the load lock for its whole life. May nest: an IFUNC resolver may call dlopen.
class FileWatch {
public:
  explicit FileWatch(Runtime& runtime);
  ~FileWatch();
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;

  /// Errors: file_changed, if a file that is being loaded has lost a page.
  static Status check();

private:
  bool outermost_;
};

}  // namespace myld
