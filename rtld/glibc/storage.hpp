// The objects that libc imports from its loader. Their addresses are fixed when the loader is
// linked, their layout is known when a libc has been found, so they are bytes: room for the largest
// of all releases (rtld/glibc/layouts).
#pragma once
#include <cstddef>
#include <cstdint>

namespace myld::glibc {

inline constexpr std::size_t kRtldGlobalBytes = 5120;
inline constexpr std::size_t kRtldGlobalRoBytes = 1152;

}  // namespace myld::glibc

extern "C" {
extern unsigned char _rtld_global[myld::glibc::kRtldGlobalBytes];
extern unsigned char _rtld_global_ro[myld::glibc::kRtldGlobalRoBytes];
extern int __libc_enable_secure;
extern void* __libc_stack_end;
extern char** _dl_argv;
extern std::ptrdiff_t __rseq_offset;
extern unsigned int __rseq_size;
extern unsigned int __rseq_flags;
extern char __nptl_initial_report_events;
extern bool __nptl_set_robust_list_avail;
extern std::uintptr_t __stack_chk_guard;
extern std::uintptr_t __pointer_chk_guard;
}
