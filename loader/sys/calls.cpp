#include "loader/sys/calls.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/thread_id.hpp"

namespace myld::sys {
namespace {

long word(const void* p) { return reinterpret_cast<long>(p); }

/// A file system that answers nothing but EINTR is broken, and waiting for it would be for ever.
constexpr int kMostInterruptions = 100;

template <class Call>
long retry(Call call) {
  long result = call();
  for (int i = 0; result == -kEintr && i < kMostInterruptions; ++i) result = call();
  return result;
}

constexpr long kAtFdcwd = -100;

// open(2)'s flags that every ISA has the same number for.
constexpr long kWriteOnly = 01, kReadWrite = 02, kCreate = 0100, kExclusive = 0200,
               kTruncate = 01000, kAppend = 02000, kNonblock = 04000, kCloexec = 02000000;
constexpr long kUmaskDecides = 0666;

long open(const char* path, long flags, long mode = 0) {
  return retry([&] { return arch::syscall(arch::kSysOpenat, kAtFdcwd, word(path), flags, mode); });
}

}  // namespace

long open_for_reading(const char* path) { return open(path, kCloexec | kNonblock); }

long open_for_appending(const char* path) {
  return open(path, kWriteOnly | kCreate | kAppend | kCloexec | arch::kOpenNoFollow, kUmaskDecides);
}

// close(2) is not retried: the descriptor is gone even after EINTR.
long close(int fd) { return arch::syscall(arch::kSysClose, fd); }

long duplicate(int fd) {
  constexpr long kDuplicateCloexec = 1030, kAboveStandard = 3;
  return arch::syscall(arch::kSysFcntl, fd, kDuplicateCloexec, kAboveStandard);
}

long memory_file(const char* name) {
  constexpr long kMfdCloexec = 1;
  return arch::syscall(arch::kSysMemfdCreate, word(name), kMfdCloexec);
}

long fstat(int fd, Stat* out) {
  return retry([&] { return arch::syscall(arch::kSysFstat, fd, word(out)); });
}

long stat(const char* path, Stat* out) {
  return retry(
      [&] { return arch::syscall(arch::kSysFstatat, kAtFdcwd, word(path), word(out), 0); });
}

long link_stat(const char* path, Stat* out) {
  constexpr long kNoFollow = 0x100;
  return retry(
      [&] { return arch::syscall(arch::kSysFstatat, kAtFdcwd, word(path), word(out), kNoFollow); });
}

long pread_full(int fd, void* to, std::size_t bytes, std::uint64_t offset) {
  std::size_t got = 0;
  while (got < bytes) {
    long n = retry([&] {
      return arch::syscall(arch::kSysPread, fd, word(static_cast<char*>(to) + got),
                           static_cast<long>(bytes - got), static_cast<long>(offset + got));
    });
    if (n < 0) return n;
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  return static_cast<long>(got);
}

long pwrite_full(int fd, const void* from, std::size_t bytes, std::uint64_t offset) {
  const auto* at = static_cast<const char*>(from);
  while (bytes != 0) {
    long n = retry([&] {
      return arch::syscall(arch::kSysPwrite, fd, word(at), static_cast<long>(bytes),
                           static_cast<long>(offset));
    });
    if (n < 0) return n;
    if (n == 0) return -kEnospc;
    at += n;
    offset += static_cast<std::uint64_t>(n);
    bytes -= static_cast<std::size_t>(n);
  }
  return 0;
}

long map(void* at, std::size_t bytes, int prot, int flags, int fd, std::uint64_t offset) {
  return arch::syscall(arch::kSysMmap, word(at), static_cast<long>(bytes), prot, flags, fd,
                       static_cast<long>(offset));
}

long map_anonymous(std::size_t bytes) {
  return map(nullptr, bytes, kProtRead | kProtWrite, kMapPrivate | kMapAnonymous, -1, 0);
}

long unmap(const void* at, std::size_t bytes) {
  return arch::syscall(arch::kSysMunmap, word(at), static_cast<long>(bytes));
}

long protect(const void* at, std::size_t bytes, int prot) {
  return arch::syscall(arch::kSysMprotect, word(at), static_cast<long>(bytes), prot);
}

long advise(const void* at, std::size_t bytes, int advice) {
  return arch::syscall(arch::kSysMadvise, word(at), static_cast<long>(bytes), advice);
}

bool can_read(const void* at, std::size_t bytes, std::size_t page_size) {
  auto start = reinterpret_cast<std::uintptr_t>(at);
  std::uintptr_t from = start & ~(page_size - 1);
  if (start > UINTPTR_MAX - page_size || bytes > UINTPTR_MAX - page_size - start) return false;
  std::uintptr_t to = (start + bytes + page_size - 1) & ~(page_size - 1);
  long got = advise(reinterpret_cast<const void*>(from), to - from, kMadvPopulateRead);
  if (got != -kEinval) return got == 0;
  // Memory without PROT_READ, or a kernel that does not know the request: memory that is there for
  // sure tells which.
  auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) & ~(page_size - 1);
  return advise(reinterpret_cast<const void*>(here), page_size, kMadvPopulateRead) == -kEinval;
}

long seal(const void* at, std::size_t bytes) {
  return arch::syscall(arch::kSysMseal, word(at), static_cast<long>(bytes), 0);
}

std::uint64_t stack_limit() {
  constexpr long kRlimitStack = 3;
  std::uint64_t limits[2] = {kNoLimit, kNoLimit};
  long got = arch::syscall(arch::kSysPrlimit64, 0, kRlimitStack, 0, word(limits));
  return got < 0 ? kNoLimit : limits[0];
}

bool is_open(int fd) {
  constexpr long kGetFd = 1;
  return arch::syscall(arch::kSysFcntl, fd, kGetFd) != -kEbadf;
}

long open_device(const char* path) { return open(path, kReadWrite); }

long read_directory(int fd, void* to, std::size_t bytes) {
  return arch::syscall(arch::kSysGetdents64, fd, word(to), static_cast<long>(bytes));
}

long create_file(const char* path) {
  return open(path, kWriteOnly | kCreate | kTruncate | kCloexec, kUmaskDecides);
}

long create_new_file(const char* path, int mode) {
  return open(path, kWriteOnly | kCreate | kExclusive | kCloexec | arch::kOpenNoFollow, mode);
}

long open_no_link(const char* path) {
  return open(path, kCloexec | kNonblock | arch::kOpenNoFollow);
}

long open_shared_file(const char* path) {
  return open(path, kReadWrite | kCreate | kCloexec | arch::kOpenNoFollow, kUmaskDecides);
}

long resize_file(int fd, std::uint64_t bytes) {
  return retry([&] { return arch::syscall(arch::kSysFtruncate, fd, static_cast<long>(bytes)); });
}

long sync_file(int fd) {
  return retry([&] { return arch::syscall(arch::kSysFsync, fd); });
}

long make_directory(const char* path, int mode) {
  return arch::syscall(arch::kSysMkdirat, kAtFdcwd, word(path), mode);
}

long unlink(const char* path) { return arch::syscall(arch::kSysUnlinkat, kAtFdcwd, word(path), 0); }

long rename(const char* from, const char* to) {
  return arch::syscall(arch::kSysRenameat2, kAtFdcwd, word(from), kAtFdcwd, word(to), 0);
}

long readlink(const char* path, char* to, std::size_t capacity) {
  return arch::syscall(arch::kSysReadlinkat, kAtFdcwd, word(path), word(to),
                       static_cast<long>(capacity));
}

long getcwd(char* to, std::size_t capacity) {
  return arch::syscall(arch::kSysGetcwd, word(to), static_cast<long>(capacity));
}

constinit std::ptrdiff_t g_thread_id_offset = 0;

long uname(SystemName* out) { return arch::syscall(arch::kSysUname, word(out)); }
long gettid() { return arch::syscall(arch::kSysGettid); }
long getpid() { return arch::syscall(arch::kSysGetpid); }

long write_full(int fd, const void* from, std::size_t bytes) {
  const auto* at = static_cast<const char*>(from);
  while (bytes != 0) {
    long n = retry(
        [&] { return arch::syscall(arch::kSysWrite, fd, word(at), static_cast<long>(bytes)); });
    if (n < 0) return n;
    if (n == 0) return -kEnospc;
    at += n;
    bytes -= static_cast<std::size_t>(n);
  }
  return 0;
}

void write_all(int fd, const char* text, std::size_t bytes) {
  // A closed or full stderr must not keep the loader from exiting.
  static_cast<void>(write_full(fd, text, bytes));
}

void exit(int status) {
  for (;;) arch::syscall(arch::kSysExitGroup, status);
}

long execve(const char* path, const char* const* argv, const char* const* envp) {
  return arch::syscall(arch::kSysExecve, word(path), word(argv), word(envp));
}

long signal_action(int signal, const SignalAction* now, SignalAction* before) {
  return arch::syscall(arch::kSysRtSigaction, signal, word(now), word(before), sizeof now->mask);
}

void futex_wait(std::uint32_t* at, std::uint32_t expected) {
  constexpr long kWaitPrivate = 128;
  arch::syscall(arch::kSysFutex, word(at), kWaitPrivate, expected, 0);
}

void futex_wait_for(std::uint32_t* at, std::uint32_t expected, std::uint64_t ns) {
  constexpr long kWaitPrivate = 128;
  constexpr std::uint64_t kSecond = 1000000000;
  std::int64_t time[2] = {static_cast<std::int64_t>(ns / kSecond),
                          static_cast<std::int64_t>(ns % kSecond)};
  arch::syscall(arch::kSysFutex, word(at), kWaitPrivate, expected, word(time));
}

void futex_wake(std::uint32_t* at, int count) {
  constexpr long kWakePrivate = 129;
  arch::syscall(arch::kSysFutex, word(at), kWakePrivate, count);
}

namespace {

std::uint64_t clock_ns(long clock) {
  std::int64_t t[2] = {};
  arch::syscall(arch::kSysClockGettime, clock, word(t));
  return static_cast<std::uint64_t>(t[0]) * 1000000000u + static_cast<std::uint64_t>(t[1]);
}

}  // namespace

std::uint64_t monotonic_ns() { return clock_ns(1); }
std::uint64_t realtime_ns() { return clock_ns(0); }

}  // namespace myld::sys
