// What the Linux ports share that have no history of their own: the generic system call numbers and
// struct stat. Source: Linux, include/uapi/asm-generic/unistd.h and asm-generic/stat.h.
#pragma once
#include <cstdint>

namespace myld::arch {

inline constexpr long kSysGetcwd = 17, kSysFcntl = 25, kSysFtruncate = 46, kSysGetdents64 = 61,
                      kSysOpenat = 56, kSysClose = 57, kSysRead = 63, kSysWrite = 64,
                      kSysPread = 67, kSysPwrite = 68, kSysReadlinkat = 78, kSysFstat = 80,
                      kSysExitGroup = 94, kSysSetTidAddress = 96, kSysFutex = 98,
                      kSysSetRobustList = 99, kSysClockGettime = 113, kSysSchedYield = 124,
                      kSysRtSigprocmask = 135, kSysUname = 160, kSysGetpid = 172, kSysGettid = 178,
                      kSysMunmap = 215, kSysExecve = 221, kSysMmap = 222, kSysMprotect = 226,
                      kSysMadvise = 233, kSysMemfdCreate = 279, kSysMembarrier = 283,
                      kSysRseq = 293, kSysMseal = 462, kSysPrlimit64 = 261, kSysRtSigaction = 134,
                      kSysFstatat = 79, kSysMkdirat = 34, kSysUnlinkat = 35, kSysFsync = 82,
                      kSysRenameat2 = 276;

/// The kernel's struct stat, of which the loader reads identity, type and size.
struct Stat {
  std::uint64_t st_dev, st_ino;
  std::uint32_t st_mode, st_nlink, st_uid, st_gid;
  std::uint64_t st_rdev, pad1;
  std::int64_t st_size;
  std::int32_t st_blksize, pad2;
  std::int64_t st_blocks;
  std::int64_t st_atime_s, st_atime_ns, st_mtime_s, st_mtime_ns, st_ctime_s, st_ctime_ns;
  std::uint32_t unused[2];
};
static_assert(sizeof(Stat) == 128);

/// Is the code run by valgrind? To say yes costs a mapping for each library.
constexpr bool runs_under_valgrind() { return true; }
inline constexpr bool kSeesValgrind = false;  ///< does that answer say anything?

}  // namespace myld::arch
