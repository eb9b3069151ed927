// The private structures that glibc's libc.so.6 shares with its dynamic loader, as data.
//
// libc.so.6 is compiled against one exact set of offsets and reads and writes the loader's
// structures directly. The offsets differ between releases, and within a release from one
// distribution's patch to the next; so nothing here is a C++ struct laid over that memory. A
// `Layout` is a table of byte offsets, one for each build that is known; the tables are generated
// from DWARF into layouts/<isa>/*.inc, and detect() picks one at run time. The adapter is the only
// user.
//
// Each member is spelled as in glibc, with `.` written `_`. A member that a build lacks is
// `kAbsent`. "Read by" says who outside the loader looks at it: libc.so.6 unless another name is
// given; "ld.so" means that only the loader itself reads it, so that writing it is for the benefit
// of people and debuggers.
//
// Sources: the structure declarations of glibc 2.34 - 2.43 (include/link.h,
// sysdeps/generic/ldsodefs.h, nptl/descr.h, sysdeps/*/tls.h, sysdeps/x86/include/cpu-features.h),
// and disassembly of libc.so.6 for the readers.

#pragma once

#include <cstdint>

namespace myld::glibc {

/// Bytes from the start of the structure that holds the member.
using Offset = std::uint16_t;

/// This build has no such member.
inline constexpr Offset kAbsent = 0xffff;

/// A bit field: `width` bits, the first of which is bit `bit` (0 = least significant) of byte
/// `byte`. One that is absent has `byte` kAbsent; all its other bits are set as well, so that an
/// absent member of either kind is all ones.
struct Bits {
  Offset byte = kAbsent;
  std::uint8_t bit = 0xff;
  std::uint8_t width = 0xff;
};

/// Where a thread's rseq area lies.
enum class Rseq : std::uint8_t {
  none,        ///< glibc 2.34: libc does not register one; `__rseq_*` do not exist.
  in_pthread,  ///< 2.35 - 2.40: `pthread.rseq_area`.
  /// The same on an ISA whose signature libc did not know (riscv64 up to 2.40): the area is never
  /// registered, and `__rseq_offset` is 0.
  unregistered,
  static_tls,  ///< 2.41 and later: a block of its own after the start-up modules' static TLS.
};

/// Which numbering the bits of `cpu_features.preferred[0]` follow.
/// The first ten are the same in all; the ones from 10 on are listed here, lowest first.
enum class PreferredBits : std::uint8_t {
  none,  ///< Not x86.
  /// 2.34: Prefer_AVX2_STRCMP comes before Avoid_Short_Distance_REP_MOVSB, and whether
  /// Prefer_MAP_32BIT_EXEC is there differs inside the release: x86_64/cpu_features.cpp decides.
  up_to_fsrm,
  /// Prefer_No_VZEROUPPER, Prefer_ERMS, Prefer_No_AVX512, MathVec_Prefer_No_AVX512, Prefer_FSRM,
  /// Avoid_Short_Distance_REP_MOVSB.
  without_map_32bit,
  /// Prefer_MAP_32BIT_EXEC, then as above, then (where this build knows them, otherwise unused
  /// bits) Avoid_Non_Temporal_Memset, Avoid_STOSB.
  with_map_32bit,
};

/// One build's offsets, in bytes, and the few facts beside offsets that differ from build to build.
struct Layout {
  /// 36 = glibc 2.36. The structures below are the criterion, not this number.
  std::uint8_t minor = 0;

  // Facts that are not offsets.

  /// libc.so.6 imports _dl_catch_exception, _dl_signal_error and _dl_signal_exception from the
  /// loader (2.37 and later); otherwise it defines and exports them itself, and the error state is
  /// its own TLS variable.
  bool libc_imports_dl_signal = false;
  /// Where each thread's rseq area is; decides what __rseq_offset holds.
  Rseq rseq = Rseq::none;
  /// set_tid_address() gets &pthread.joinstate (2.43 and later, initial value 2 = JOINABLE), not
  /// &pthread.tid.
  bool tid_address_is_joinstate = false;
  /// The stack flags word holds PROT_* bits (`_dl_stack_prot_flags`, 2.43 and later), not PF_* bits
  /// (`_dl_stack_flags`).
  bool stack_flags_are_prot = false;
  /// dl_find_object has the member dlfo_sframe at byte 40 (2.42 and later); in older builds it is
  /// reserved, zero.
  bool dl_find_object_has_sframe = false;
  /// A tunable's value is 16 bytes, strings being {pointer, length} (2.39 and later), not 8 with a
  /// plain pointer.
  bool tunable_val_is_16_bytes = false;
  /// Which table of tunables this build's __tunable_get_val ids index: an index into
  /// `Known::tunable_tables` of this ISA. Not checkable from libc; see Detection::tunables_certain.
  std::uint8_t tunables = 0;
  /// What the bits of cpu_features.preferred[0] mean.
  PreferredBits preferred_bits = PreferredBits::none;

  /// `struct rtld_global_ro`: the object `_rtld_global_ro`, read by libc.so.6, libm, libmvec and
  /// libc_malloc_debug. Must be final before libc is relocated, since IFUNC resolvers read it.
  struct RtldGlobalRo {
    Offset size = kAbsent;
    /// Read by __libc_start_main (bit 1); since 2.43 also by thread stack code (bit 11). 0 is
    /// right.
    Offset _dl_debug_mask = kAbsent;
    /// ld.so.
    Offset _dl_platform = kAbsent;
    /// ld.so.
    Offset _dl_platformlen = kAbsent;
    /// Read by malloc, posix_spawn, pthread_create, getpagesize, sysconf. AT_PAGESZ; zero crashes
    /// at once.
    Offset _dl_pagesize = kAbsent;
    /// Read by sysconf(_SC_MINSIGSTKSZ, _SC_SIGSTKSZ), which assert that it is not 0.
    /// AT_MINSIGSTKSZ.
    Offset _dl_minsigstacksize = kAbsent;
    /// `struct r_scope_elem`: {link_map** r_list, unsigned r_nlist}. Read by __libc_freeres up
    /// to 2.41.
    Offset _dl_initial_searchlist = kAbsent;
    /// Read by sysconf(_SC_CLK_TCK) and times(). AT_CLKTCK, an int.
    Offset _dl_clktck = kAbsent;
    /// ld.so.
    Offset _dl_verbose = kAbsent;
    /// ld.so.
    Offset _dl_lazy = kAbsent;
    /// Read by libc's constructor: differs from __fpu_control => it loads the control word. u16 on
    /// x86, u32 elsewhere.
    Offset _dl_fpu_control = kAbsent;
    /// Read by getauxval(AT_HWCAP), which returns this, not the auxv's. x86: 2, plus 4 with
    /// AVX-512.
    Offset _dl_hwcap = kAbsent;
    /// Read by getauxval() for all other types: address of the auxv. Zero crashes.
    Offset _dl_auxv = kAbsent;
    /// `struct cpu_features`. Read by every IFUNC resolver of libc, libm and libmvec, and by
    /// sysconf.
    Offset _dl_x86_cpu_features = kAbsent;
    /// `struct cpu_features`. Read by every IFUNC resolver of libc.
    Offset _dl_aarch64_cpu_features = kAbsent;
    /// Read by __libc_early_init, pthread_create, __pthread_get_minstack. Includes struct pthread
    /// on x86 only.
    Offset _dl_tls_static_size = kAbsent;
    /// Read by the same.
    Offset _dl_tls_static_align = kAbsent;
    /// ld.so.
    Offset _dl_tls_static_surplus = kAbsent;
    /// ld.so.
    Offset _dl_profile = kAbsent;
    /// Read by _IO_vtable_check and __libc_freeres as "the loader is active"; freeres compares it
    /// with _dl_all_dirs.
    Offset _dl_init_all_dirs = kAbsent;
    /// ld.so, gdb: address of the vDSO's ELF header.
    Offset _dl_sysinfo_dso = kAbsent;
    /// Read up to 2.38 or so by the resolvers of time and gettimeofday, which then look up in that
    /// link_map. 0 is safe.
    Offset _dl_sysinfo_map = kAbsent;
    /// Read by clock_gettime: address of the vDSO's function, 0 = use the system call.
    Offset _dl_vdso_clock_gettime64 = kAbsent;
    /// Read since 2.41 by the resolver of gettimeofday; likewise.
    Offset _dl_vdso_gettimeofday = kAbsent;
    /// Read since 2.41 by the resolver of time; likewise. x86 only.
    Offset _dl_vdso_time = kAbsent;
    /// Read by getcpu and sched_getcpu; likewise.
    Offset _dl_vdso_getcpu = kAbsent;
    /// Read by clock_getres; likewise.
    Offset _dl_vdso_clock_getres_time64 = kAbsent;
    /// Read by __libc_early_init and arc4random/getrandom since 2.41; likewise.
    Offset _dl_vdso_getrandom = kAbsent;
    /// Read by __riscv_hwprobe and by resolvers; likewise. riscv64 only.
    Offset _dl_vdso_riscv_hwprobe = kAbsent;
    /// Read by getauxval(AT_HWCAP2). AT_HWCAP2.
    Offset _dl_hwcap2 = kAbsent;
    /// Read by getauxval(AT_HWCAP3). AT_HWCAP3.
    Offset _dl_hwcap3 = kAbsent;
    /// Read by getauxval(AT_HWCAP4). AT_HWCAP4.
    Offset _dl_hwcap4 = kAbsent;
    /// Called only if _dl_debug_mask is not 0: void (const char* format, ...).
    Offset _dl_debug_printf = kAbsent;
    /// Called only while profiling: void (ElfW(Addr) from, ElfW(Addr) to).
    Offset _dl_mcount = kAbsent;
    /// Called by dlsym and dlvsym without _dl_dlfcn_hook, and through _dl_sysinfo_map; returns a
    /// link_map.
    Offset _dl_lookup_symbol_x = kAbsent;
    /// Called by dlopen and dlmopen without the hook.
    Offset _dl_open = kAbsent;
    /// Called by dlclose without the hook.
    Offset _dl_close = kAbsent;
    /// Called by the dl* functions without the hook.
    Offset _dl_catch_error = kAbsent;
    /// Called by dlerror without the hook.
    Offset _dl_error_free = kAbsent;
    /// Called by dl_iterate_phdr for every map with l_tls_modid != 0, and by dlinfo: void*
    /// (link_map*).
    Offset _dl_tls_get_addr_soft = kAbsent;
    /// Called by __libc_freeres (valgrind): void (void).
    Offset _dl_libc_freeres = kAbsent;
    /// Called by libc's exported _dl_find_object (unwinder of libgcc >= 12): int (void* pc,
    /// dl_find_object*).
    Offset _dl_find_object = kAbsent;
    /// Called by nothing in libc of the supported releases; 2.34 and 2.35 only.
    Offset _dl_discover_osversion = kAbsent;
    /// Called by __readonly_area (fortified %n): {readonly 0, writable 1, not_found 2} (const
    /// void*, size_t). 2.42 and later.
    Offset _dl_readonly_area = kAbsent;
    /// Address of a table of 13 functions to which all dl* functions and libc's internal ones go
    /// when it is not 0.
    Offset _dl_dlfcn_hook = kAbsent;
    /// Read by dlsym if _dl_naudit is not 0.
    Offset _dl_audit = kAbsent;
    /// Read by dlsym. 0.
    Offset _dl_naudit = kAbsent;
  } rtld_global_ro;

  /// `struct rtld_global`: the object `_rtld_global`, read and written by libc.so.6; libthread_db
  /// reads it through libc's `__nptl_rtld_global`.
  struct RtldGlobal {
    Offset size = kAbsent;
    /// Array of 16 `struct link_namespaces`. Read by __libc_start_main, dl_iterate_phdr,
    /// __cxa_thread_atexit_impl, dlsym.
    Offset _dl_ns = kAbsent;
    /// Number of namespaces. Read by dl_iterate_phdr.
    Offset _dl_nns = kAbsent;
    /// pthread_mutex_t, recursive. Locked by _dl_addr, __cxa_thread_atexit_impl, dlsym;
    /// re-initialised in a forked child.
    Offset _dl_load_lock = kAbsent;
    /// pthread_mutex_t, recursive. Locked by dl_iterate_phdr during the callbacks.
    Offset _dl_load_write_lock = kAbsent;
    /// pthread_mutex_t, recursive. Re-initialised in a forked child.
    Offset _dl_load_tls_lock = kAbsent;
    /// Count of maps ever added, u64. Read by dl_iterate_phdr (dlpi_adds; libgcc caches by it).
    Offset _dl_load_adds = kAbsent;
    /// Read by the mcount wrapper. 0.
    Offset _dl_profile_map = kAbsent;
    /// Read by __libc_freeres up to 2.41; must equal _dl_init_all_dirs.
    Offset _dl_all_dirs = kAbsent;
    /// ld.so's own link_map, embedded (up to 2.40). Its l_tls_dtor_count is a fallback of
    /// __cxa_thread_atexit_impl.
    Offset _dl_rtld_map = kAbsent;
    /// ld.so.
    Offset _dl_rtld_auditstate = kAbsent;
    /// Read by pthread_create and posix_spawn: protection of thread stacks, PF_* bits. Up to 2.42.
    Offset _dl_stack_flags = kAbsent;
    /// The same with PROT_* bits; 0 would map stacks without access. 2.43 and later.
    Offset _dl_stack_prot_flags = kAbsent;
    /// aarch64: GCS policy of the process. 2.42 and later. 0 = off.
    Offset _dl_aarch64_gcs = kAbsent;
    /// ld.so.
    Offset _dl_tls_dtv_gaps = kAbsent;
    /// ld.so.
    Offset _dl_tls_max_dtv_idx = kAbsent;
    /// Address of the first dtv_slotinfo_list. Read by libthread_db (TLS in gdb) and by
    /// __libc_freeres up to 2.41.
    Offset _dl_tls_dtv_slotinfo_list = kAbsent;
    /// ld.so.
    Offset _dl_tls_static_nelem = kAbsent;
    /// ld.so.
    Offset _dl_tls_static_used = kAbsent;
    /// ld.so.
    Offset _dl_tls_static_optional = kAbsent;
    /// The main thread's dtv. Read by __libc_freeres up to 2.41, which frees the slotinfo list if
    /// this is another.
    Offset _dl_initial_dtv = kAbsent;
    /// ld.so.
    Offset _dl_tls_generation = kAbsent;
    /// free()d by __libc_freeres up to 2.41. 0.
    Offset _dl_scope_free_list = kAbsent;
    /// Circular list head of `pthread.list`, stacks that libc allocated. pthread_create, fork,
    /// setxid, libthread_db.
    Offset _dl_stack_used = kAbsent;
    /// Circular list head of `pthread.list`, stacks of users; holds the main thread. As above.
    Offset _dl_stack_user = kAbsent;
    /// Circular list head: free stacks. pthread_create, pthread_exit, fork.
    Offset _dl_stack_cache = kAbsent;
    /// Bytes in that list. As above.
    Offset _dl_stack_cache_actsize = kAbsent;
    /// List operation under way when a thread forks. As above.
    Offset _dl_in_flight_stack = kAbsent;
    /// Futex word 0/1/2 that guards the lists; take it to walk them.
    Offset _dl_stack_cache_lock = kAbsent;
  } rtld_global;

  /// `struct link_namespaces`, element of `rtld_global._dl_ns`; `size` is the stride.
  struct LinkNamespaces {
    Offset size = kAbsent;
    /// First link_map = main program. Read by __libc_start_main (runs its initialisers),
    /// dl_iterate_phdr, dlsym.
    Offset _ns_loaded = kAbsent;
    /// Number of maps in that chain. Read by dl_iterate_phdr (dlpi_subs = _dl_load_adds - this).
    Offset _ns_nloaded = kAbsent;
    /// Address of the main map's `struct r_scope_elem`. __libc_freeres up to 2.41.
    Offset _ns_main_searchlist = kAbsent;
    /// Read by __libc_freeres up to 2.41; 0 keeps it away from the list above.
    Offset _ns_global_scope_alloc = kAbsent;
    /// ld.so: link_map of libc.so.6 in this namespace.
    Offset libc_map = kAbsent;
    /// ld.so: STB_GNU_UNIQUE table.
    Offset _ns_unique_sym_table = kAbsent;
    /// ld.so: a `struct r_debug_extended`. Since August 2025 the space is there but nothing uses
    /// it, under the name _ns_debug_unused.
    Offset _ns_debug = kAbsent;
  } link_namespaces;

  /// `struct link_map`, the private one. Bytes 0 - 39 are the public <link.h> structure.
  struct LinkMap {
    Offset size = kAbsent;
    /// Load bias. Read by everyone.
    Offset l_addr = kAbsent;
    /// Path; "" for the main program. Read by dl_iterate_phdr, _dl_addr, gdb.
    Offset l_name = kAbsent;
    /// Run address of the dynamic section. Read by gdb, dlinfo users.
    Offset l_ld = kAbsent;
    /// Next map of the chain. Read by everyone.
    Offset l_next = kAbsent;
    /// Previous map.
    Offset l_prev = kAbsent;
    /// The map itself. Read by dl_iterate_phdr, which reads all else through it.
    Offset l_real = kAbsent;
    /// Namespace number, Lmid_t. Read by dlinfo.
    Offset l_ns = kAbsent;
    /// List {const char* name, next, int dont_free}. __libc_freeres up to 2.41 dereferences it:
    /// never 0.
    Offset l_libname = kAbsent;
    /// Array of Elf64_Dyn*. Read by __libc_start_main (INIT, INIT_ARRAY*) and _dl_addr (STRTAB,
    /// SYMTAB, STRSZ, hashes).
    Offset l_info = kAbsent;
    /// Read by dl_iterate_phdr, dlinfo. Must be mapped memory.
    Offset l_phdr = kAbsent;
    /// ld.so: entry point.
    Offset l_entry = kAbsent;
    /// u16. Read by dl_iterate_phdr, dlinfo.
    Offset l_phnum = kAbsent;
    /// ld.so: u16, entries of the dynamic section.
    Offset l_ldnum = kAbsent;
    /// `struct r_scope_elem`. Read by __libc_freeres up to 2.41 for the main map; ld.so.
    Offset l_searchlist = kAbsent;
    /// Read by dlsym(RTLD_NEXT) without the hook.
    Offset l_loader = kAbsent;
    /// u32, buckets of the hash table. Read by _dl_addr.
    Offset l_nbuckets = kAbsent;
    /// Read by _dl_addr.
    Offset l_gnu_buckets = kAbsent;
    /// Read by _dl_addr.
    Offset l_gnu_chain_zero = kAbsent;
    /// DT_HASH buckets, in the place of l_gnu_chain_zero. ld.so.
    Offset l_buckets = kAbsent;
    /// DT_HASH chain, in the place of l_gnu_buckets. ld.so.
    Offset l_chain = kAbsent;
    /// 0 the program, 1 loaded at start, 2 by dlopen. Read by _dl_addr.
    Bits l_type = {};
    /// ld.so.
    Bits l_relocated = {};
    /// ld.so.
    Bits l_init_called = {};
    /// ld.so.
    Bits l_global = {};
    /// ld.so: this is the main program. Absent in 2.34.
    Bits l_main_map = {};
    /// __libc_freeres up to 2.41: l_initfini may be free()d. 0.
    Bits l_free_initfini = {};
    /// No gaps between the segments. Read by dl_iterate_phdr with several namespaces, dlsym.
    Bits l_contiguous = {};
    /// Read by _dl_addr: d_ptr of l_info[] is not yet an address, add l_addr. Absent in early 2.34:
    /// always an address.
    Bits l_ld_readonly = {};
    /// ld.so; dlinfo(RTLD_DI_ORIGIN) copies it. Never 0 without the hook.
    Offset l_origin = kAbsent;
    /// Run address of the first byte. Read by _dl_addr, dl_iterate_phdr, dlsym.
    Offset l_map_start = kAbsent;
    /// Run address behind the last byte. Read by the same.
    Offset l_map_end = kAbsent;
    /// Read by dlsym without the hook.
    Offset l_scope = kAbsent;
    /// Read by dlsym without the hook.
    Offset l_local_scope = kAbsent;
    /// Set to 0 by __libc_freeres up to 2.41.
    Offset l_initfini = kAbsent;
    /// ld.so.
    Offset l_tls_initimage = kAbsent;
    /// ld.so.
    Offset l_tls_initimage_size = kAbsent;
    /// ld.so.
    Offset l_tls_blocksize = kAbsent;
    /// ld.so.
    Offset l_tls_align = kAbsent;
    /// ld.so.
    Offset l_tls_firstbyte_offset = kAbsent;
    /// Read by libthread_db: 0 none, -1 dynamic only, else distance from the thread pointer.
    Offset l_tls_offset = kAbsent;
    /// Read by dl_iterate_phdr, dlinfo, libthread_db.
    Offset l_tls_modid = kAbsent;
    /// size_t. Counted up and down atomically by __cxa_thread_atexit_impl and thread exit; not 0 =>
    /// must not be unmapped.
    Offset l_tls_dtor_count = kAbsent;
    /// ld.so.
    Offset l_relro_addr = kAbsent;
    /// ld.so.
    Offset l_relro_size = kAbsent;
    /// ld.so.
    Offset l_serial = kAbsent;
    /// Number of entries of l_info[]. An entry's index is its tag below DT_NUM; the others are
    /// counted from the end.
    std::uint16_t l_info_count = 0;
    /// Index in l_info[] of DT_GNU_HASH, always the last. Read by _dl_addr.
    std::uint16_t l_info_gnu_hash_index = 0;
    /// Index in l_info[] of DT_VERSYM. ld.so.
    std::uint16_t l_info_versym_index = 0;
  } link_map;

  /// `struct pthread`, the descriptor of a thread. On x86 it begins at the thread pointer, with the
  /// TCB as its header; on aarch64 and riscv64 it ends there, and the TCB {dtv, private} follows
  /// it.
  struct Pthread {
    Offset size = kAbsent;
    /// x86 tcbhead_t; elsewhere two words of struct pthread.
    Offset header = kAbsent;
    /// x86: address of this TCB. Compilers' %fs:0.
    Offset header_tcb = kAbsent;
    /// x86: the DTV. Read by libthread_db, pthread_create (frees to_free of a recycled thread).
    Offset header_dtv = kAbsent;
    /// x86: address of this struct. THREAD_SELF.
    Offset header_self = kAbsent;
    /// Read by libc's single-thread fast paths; set by pthread_create.
    Offset header_multiple_threads = kAbsent;
    /// ld.so.
    Offset header_gscope_flag = kAbsent;
    /// x86: unused on 64 bits.
    Offset header_sysinfo = kAbsent;
    /// x86: the stack protector's canary, %fs:0x28 of every compiler. Copied to new threads.
    Offset header_stack_guard = kAbsent;
    /// x86: mixed into stored code addresses by setjmp, atexit. Copied to new threads.
    Offset header_pointer_guard = kAbsent;
    /// x86: CET bits. Read by setjmp, longjmp, contexts: 0 unless CET is on.
    Offset header_feature_1 = kAbsent;
    /// x86: split stacks (-fsplit-stack).
    Offset header___private_ss = kAbsent;
    /// x86: CET.
    Offset header_ssp_base = kAbsent;
    /// Node in _dl_stack_used or _dl_stack_user. Read by pthread_*, fork, setxid, libthread_db.
    Offset list = kAbsent;
    /// Kernel thread id. Read by mutexes (owner), raise, libthread_db.
    Offset tid = kAbsent;
    /// Robust mutexes: with robust_head.list a circular list, initially pointing to &robust_head.
    Offset robust_prev = kAbsent;
    /// `struct robust_list_head`: {list, futex_offset, list_op_pending}, given to
    /// set_robust_list().
    Offset robust_head = kAbsent;
    /// -32 on 64-bit.
    Offset robust_head_futex_offset = kAbsent;
    /// Cancellation state word. pthread_cancel, libthread_db.
    Offset cancelhandling = kAbsent;
    /// First block of thread-specific data. pthread_getspecific.
    Offset specific_1stblock = kAbsent;
    /// Array of addresses; [0] = &specific_1stblock. pthread_getspecific, libthread_db.
    Offset specific = kAbsent;
    /// Byte.
    Offset specific_used = kAbsent;
    /// Byte. libthread_db; the main thread's copies __nptl_initial_report_events.
    Offset report_events = kAbsent;
    /// Byte: the stack is the user's; 1 for the main thread. Up to 2.41.
    Offset user_stack = kAbsent;
    /// int, in place of user_stack: 2 (ALLOCATE_GUARD_USER) for the main thread. 2.42 and later.
    Offset stack_mode = kAbsent;
    /// int, 0.
    Offset lock = kAbsent;
    /// setxid in other threads.
    Offset setxid_futex = kAbsent;
    /// Address of a pthread: itself = detached, 0 = joinable. Up to 2.42.
    Offset joinid = kAbsent;
    /// int: EXITED 0, EXITING 1, JOINABLE 2, DETACHED 3; the kernel clears it. 2.43 and later.
    Offset joinstate = kAbsent;
    /// libthread_db.
    Offset schedparam_sched_priority = kAbsent;
    /// libthread_db.
    Offset schedpolicy = kAbsent;
    /// libthread_db.
    Offset start_routine = kAbsent;
    /// libthread_db.
    Offset eventbuf = kAbsent;
    /// libthread_db.
    Offset nextevent = kAbsent;
    /// pthread_getattr_np; 0 for the main thread.
    Offset stackblock = kAbsent;
    /// pthread_getattr_np; __libc_stack_end for the main thread.
    Offset stackblock_size = kAbsent;
    /// 0.
    Offset guardsize = kAbsent;
    /// The resolver's state. libc.
    Offset res = kAbsent;
    /// Signal mask a new thread starts with. pthread_create.
    Offset sigmask = kAbsent;
    /// Address of the innermost `struct rtld_catch`. ld.so (2.37 and later); libc only clears it.
    Offset rtld_catch = kAbsent;
    /// strsignal, strerror_l buffers. libc.
    Offset tls_state = kAbsent;
    /// State of getrandom in the vDSO. libc, 2.41 and later.
    Offset getrandom_buf = kAbsent;
    /// 32 bytes: cpu_id_start 0, cpu_id 4, rseq_cs 8, flags 16. sched_getcpu, pthread_create. 2.35
    /// - 2.40.
    Offset rseq_area = kAbsent;
  } pthread;

  /// `struct cpu_features`, relative to its own start (see rtld_global_ro._dl_*_cpu_features). Read
  /// by IFUNC resolvers.
  struct CpuFeatures {
    Offset size = kAbsent;
    // x86.
    /// {kind, max_cpuid, family, model, stepping}, 4 bytes each. ld.so.
    Offset basic = kAbsent;
    /// Array of {cpuid{eax,ebx,ecx,edx}, active{eax,ebx,ecx,edx}}, 32 bytes each, up to
    /// `preferred`. Resolvers read `active`.
    Offset features = kAbsent;
    /// One word of tuning bits, see Layout::preferred_bits. Resolvers.
    Offset preferred = kAbsent;
    /// ld.so.
    Offset isa_1 = kAbsent;
    /// ld.so: bytes the lazy binder's xsave needs.
    Offset xsave_state_size = kAbsent;
    /// ld.so.
    Offset xsave_state_full_size = kAbsent;
    /// u64. Copied by __x86_cacheinfo.
    Offset data_cache_size = kAbsent;
    /// u64. Copied by __x86_cacheinfo.
    Offset shared_cache_size = kAbsent;
    /// u64. Copied by __x86_cacheinfo without a check: 0 crashes memset.
    Offset non_temporal_threshold = kAbsent;
    /// As above.
    Offset memset_non_temporal_threshold = kAbsent;
    /// As above.
    Offset rep_movsb_threshold = kAbsent;
    /// As above.
    Offset rep_movsb_stop_threshold = kAbsent;
    /// As above.
    Offset rep_stosb_threshold = kAbsent;
    /// u64. Read by sysconf(_SC_LEVEL1_ICACHE_SIZE); the next ones alike.
    Offset level1_icache_size = kAbsent;
    Offset level1_icache_linesize = kAbsent;
    Offset level1_dcache_size = kAbsent;
    Offset level1_dcache_assoc = kAbsent;
    Offset level1_dcache_linesize = kAbsent;
    Offset level2_cache_size = kAbsent;
    Offset level2_cache_assoc = kAbsent;
    Offset level2_cache_linesize = kAbsent;
    Offset level3_cache_size = kAbsent;
    Offset level3_cache_assoc = kAbsent;
    Offset level3_cache_linesize = kAbsent;
    Offset level4_cache_size = kAbsent;
    /// ld.so: 2.38 and later.
    Offset cachesize_non_temporal_divisor = kAbsent;
    // aarch64.
    /// u64, MIDR_EL1. Resolvers, sysconf.
    Offset midr_el1 = kAbsent;
    /// u32, bytes DC ZVA clears. Resolver of memset.
    Offset zva_size = kAbsent;
    /// Byte. setcontext and friends.
    Offset bti = kAbsent;
    /// Byte. malloc.
    Offset mte_state = kAbsent;
    /// Byte. Resolvers.
    Offset sve = kAbsent;
    /// Byte. Resolvers.
    Offset prefer_sve_ifuncs = kAbsent;
    /// Byte. Resolvers.
    Offset mops = kAbsent;
  } cpu_features;
};

}  // namespace myld::glibc
