// System calls, the thread pointer and IFUNC calls on x86-64.
// Source: AMD64 supplement, appendix A.2.1 (Linux conventions); arch_prctl(2).
#pragma once
#include <cstddef>
#include <cstdint>

namespace myld::arch {

inline constexpr long kSysFcntl = 72, kSysFtruncate = 77, kSysMseal = 462, kSysPrlimit64 = 302,
                      kSysRtSigaction = 13, kSysFstatat = 262;
inline constexpr long kSysRead = 0, kSysWrite = 1, kSysClose = 3, kSysFstat = 5, kSysMmap = 9,
                      kSysMprotect = 10, kSysMunmap = 11, kSysRtSigprocmask = 14, kSysPread = 17,
                      kSysPwrite = 18, kSysSchedYield = 24, kSysMadvise = 28, kSysGetpid = 39,
                      kSysExecve = 59, kSysUname = 63, kSysGetcwd = 79, kSysReadlink = 89,
                      kSysGetdents64 = 217, kSysArchPrctl = 158, kSysGettid = 186, kSysFutex = 202,
                      kSysSetTidAddress = 218, kSysExitGroup = 231, kSysOpenat = 257,
                      kSysReadlinkat = 267, kSysSetRobustList = 273, kSysMembarrier = 324,
                      kSysRseq = 334, kSysMemfdCreate = 319, kSysClockGettime = 228, kSysFsync = 74,
                      kSysMkdirat = 258, kSysUnlinkat = 263, kSysRenameat2 = 316;

inline constexpr long kOpenNoFollow = 0400000;  // O_NOFOLLOW

/// The kernel's struct stat, of which the loader reads identity, type and size.
struct Stat {
  std::uint64_t st_dev, st_ino, st_nlink;
  std::uint32_t st_mode, st_uid, st_gid, pad0;
  std::uint64_t st_rdev;
  std::int64_t st_size, st_blksize, st_blocks;
  std::int64_t st_atime_s, st_atime_ns, st_mtime_s, st_mtime_ns, st_ctime_s, st_ctime_ns;
  std::int64_t unused[3];
};
static_assert(sizeof(Stat) == 144);

/// Returns the kernel's result: -errno on failure.
[[gnu::always_inline]] inline long
syscall(long n, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0, long f = 0) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

/// The kernel's struct sigaction. Source: sigaction(2), "C library/kernel differences".
struct SignalAction {
  std::uintptr_t handler = 0;
  std::uint64_t flags = 0;
  std::uintptr_t restorer = 0;
  std::uint64_t mask = 0;
};
extern "C" [[gnu::visibility("hidden")]] void myld_sigreturn();
/// Bytes from the ucontext_t that a handler is given to the program counter: uc_flags, uc_link,
/// uc_stack (24), then gregs[REG_RIP = 16].
inline constexpr std::size_t kPcInSignalContext = 168;
/// Adds what this ISA needs for the handler's return.
inline void complete(SignalAction& action) {
  constexpr std::uint64_t kRestorer = 0x04000000;
  action.flags |= kRestorer;
  action.restorer = reinterpret_cast<std::uintptr_t>(&myld_sigreturn);
}

/// The thread pointer: %fs:0 holds its own address.
[[gnu::always_inline]] inline std::uintptr_t thread_pointer() {
  std::uintptr_t tp;
  asm("mov %%fs:0, %0" : "=r"(tp));
  return tp;
}

/// Returns 0 or -errno. Needs: the word at `tp` holds `tp`.
inline long set_thread_pointer(std::uintptr_t tp) {
  constexpr long kArchSetFs = 0x1002;
  return syscall(kSysArchPrctl, kArchSetFs, static_cast<long>(tp));
}

/// There is none: Port::kGlobalPointer.
inline void set_global_pointer(std::uintptr_t) {}

/// DTV pointer's place: bytes from the thread pointer.
inline constexpr std::ptrdiff_t kDtvFromThreadPointer = 8;

/// What an IFUNC resolver is given besides nothing: on x86-64 it takes no argument.
struct IfuncArguments {
  std::uint64_t hwcap, hwcap2, hwcap3, hwcap4;
};
inline std::uintptr_t call_ifunc(std::uintptr_t resolver, const IfuncArguments&) {
  return reinterpret_cast<std::uintptr_t (*)()>(resolver)();
}

/// Is the code run by valgrind? Its translator knows these five instructions, which change nothing,
/// and puts the answer into rdx; a processor leaves the 0 there. rax -> request and five arguments.
/// Source: valgrind.h (VALGRIND_DO_CLIENT_REQUEST_EXPR, amd64; RUNNING_ON_VALGRIND), which is made
/// to be built into other programs.
inline bool runs_under_valgrind() {
  constexpr std::uint64_t kRunningOnValgrind = 0x1001;
  const volatile std::uint64_t request[6] = {kRunningOnValgrind};
  std::uint64_t answer = 0;
  asm volatile("rolq $3, %%rdi\n\t"
               "rolq $13, %%rdi\n\t"
               "rolq $61, %%rdi\n\t"
               "rolq $51, %%rdi\n\t"
               "xchgq %%rbx, %%rbx"
               : "+d"(answer)
               : "a"(request)
               : "cc", "memory");
  return answer != 0;
}
inline constexpr bool kSeesValgrind = true;  ///< does that answer say anything?

}  // namespace myld::arch
