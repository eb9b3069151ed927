// The system calls that the loader makes. Each returns the kernel's result, -errno on failure.
// EINTR is retried here, so nobody else needs to think of it.
#pragma once
#include "arch/port.hpp"

#include <cstddef>
#include <cstdint>

namespace myld::sys {

using arch::Stat;

inline constexpr int kProtNone = 0, kProtRead = 1, kProtWrite = 2, kProtExec = 4;
/// For mprotect(2): all of a stack from the given page down.
inline constexpr int kProtGrowsDown = 0x01000000;
inline constexpr int kMapShared = 1, kMapPrivate = 2, kMapFixed = 0x10, kMapAnonymous = 0x20,
                     kMapNoReserve = 0x4000, kMapPopulate = 0x8000;
inline constexpr int kEperm = 1, kEnoent = 2, kEintr = 4, kEbadf = 9, kEnomem = 12, kEacces = 13,
                     kEfault = 14, kEexist = 17, kEnotdir = 20, kEinval = 22, kEnospc = 28,
                     kEnametoolong = 36, kEnosys = 38, kEloop = 40;
inline constexpr int kMadvHugePage = 14, kMadvPopulateRead = 22, kMadvPopulateWrite = 23,
                     kMadvCollapse = 25;

/// open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK): the last so that a FIFO does not hang the start.
long open_for_reading(const char* path);
/// open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666).
long open_for_appending(const char* path);
long close(int fd);
/// fcntl(fd, F_DUPFD_CLOEXEC, 3): above the standard descriptors, closed by execve(2).
long duplicate(int fd);
/// memfd_create(name, MFD_CLOEXEC): a file without a path, gone with its last descriptor and
/// mapping.
long memory_file(const char* name);
long fstat(int fd, Stat* out);
long stat(const char* path, Stat* out);
/// The same of a symbolic link itself.
long link_stat(const char* path, Stat* out);
/// Reads until `bytes` are there, the file ends or an error: returns the bytes read.
long pread_full(int fd, void* to, std::size_t bytes, std::uint64_t offset);
/// Writes all bytes at an offset. Returns 0 or -errno.
long pwrite_full(int fd, const void* from, std::size_t bytes, std::uint64_t offset);
long map(void* at, std::size_t bytes, int prot, int flags, int fd, std::uint64_t offset);
long map_anonymous(std::size_t bytes);
long unmap(const void* at, std::size_t bytes);
long protect(const void* at, std::size_t bytes, int prot);
long advise(const void* at, std::size_t bytes, int advice);
/// True if all of [at, at + bytes) can be read now: mapped, readable, and where a file is mapped,
/// still in the file. Says true as well on kernels older than 5.14, which cannot tell.
bool can_read(const void* at, std::size_t bytes, std::size_t page_size);
/// mseal(2), Linux 6.10: the range's protection and place can no longer be changed by anybody.
long seal(const void* at, std::size_t bytes);
inline constexpr std::uint64_t kNoLimit = ~std::uint64_t{0};
/// The soft RLIMIT_STACK, bytes; kNoLimit where there is none.
std::uint64_t stack_limit();
bool is_open(int fd);
/// open(path, O_RDWR): kept over execve(2).
long open_device(const char* path);
/// getdents64(2).
long read_directory(int fd, void* to, std::size_t bytes);
/// open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666).
long create_file(const char* path);
/// open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode): -EEXIST if it is there.
long create_new_file(const char* path, int mode);
/// open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK).
long open_no_link(const char* path);
/// open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666).
long open_shared_file(const char* path);
/// ftruncate(2).
long resize_file(int fd, std::uint64_t bytes);
/// fsync(2).
long sync_file(int fd);
long make_directory(const char* path, int mode);
long unlink(const char* path);
/// rename(2): replaces what `to` is a name of, at once.
long rename(const char* from, const char* to);
long readlink(const char* path, char* to, std::size_t capacity);
long getcwd(char* to, std::size_t capacity);
/// uname(2).
struct SystemName {
  char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};
long uname(SystemName* out);
long gettid();
long getpid();
/// Writes all of it: 0, or the error that ended it.
long write_full(int fd, const void* from, std::size_t bytes);
/// The same for messages, whose loss stops nothing: as much as the descriptor takes.
void write_all(int fd, const char* text, std::size_t bytes);
[[noreturn]] void exit(int status);
long execve(const char* path, const char* const* argv, const char* const* envp);
using arch::SignalAction;
/// rt_sigaction(2): 0 or -errno. `now` and `before` may be nullptr.
long signal_action(int signal, const SignalAction* now, SignalAction* before);
void futex_wait(std::uint32_t* word, std::uint32_t expected);
/// The same for at most `ns` nanoseconds.
void futex_wait_for(std::uint32_t* word, std::uint32_t expected, std::uint64_t ns);
void futex_wake(std::uint32_t* word, int count);
std::uint64_t monotonic_ns();
/// Since 1970, as files are stamped.
std::uint64_t realtime_ns();

constexpr bool is_regular(const Stat& s) { return (s.st_mode & 0170000) == 0100000; }
constexpr bool is_set_user_id(const Stat& s) { return (s.st_mode & 04000) != 0; }
constexpr bool is_directory(const Stat& s) { return (s.st_mode & 0170000) == 0040000; }

}  // namespace myld::sys
