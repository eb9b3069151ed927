// What the loader needs to know of the libc in the process, as data and hooks. One adapter fills
// it: bare.cpp where there is no libc, rtld/glibc where there is glibc. Nothing else in the loader
// knows a libc's names or layouts.
#pragma once
#include "arch/port.hpp"
#include "loader/load/module.hpp"

namespace myld {
struct Runtime;
}

namespace myld::abi {

using load::Module;

struct RuntimeAbi {
  const char* name = "";
  /// Bytes of a link_map, the public prefix included.
  std::size_t link_map_bytes = sizeof(load::LinkMap);
  /// Bytes of the TCB on its side of the thread pointer: above it in variant II, below in variant
  /// I.
  std::size_t tcb_bytes = 64;
  std::size_t tcb_align = 64;
  /// Bytes of static TLS kept free for modules that are loaded later.
  std::uint64_t static_tls_surplus = 0;
  /// Of those, what modules may take that would do without (tls::State::optional_left).
  std::uint64_t static_tls_optional = 0;
  /// A page of the loader that is not sealed while the process has one thread only, or nullptr.
  const void* unsealed = nullptr;

  /// DT_FINI is called. Where the ISA has no DT_INIT that depends on the libc.
  bool calls_dt_fini = arch::Port::kInitFini;

  /// After the modules are known and before the TLS layout is final.
  Status (*prepare)(Runtime&) = nullptr;
  /// A module got its link_map; its private part is filled here. Before it is linked in the chain.
  void (*module_added)(Runtime&, Module&) = nullptr;
  void (*module_removed)(Runtime&, Module&) = nullptr;
  /// True for the C library itself.
  bool (*is_libc)(const Module&) = nullptr;
  /// The chain of a namespace changed.
  void (*chain_changed)(Runtime&, load::Namespace&) = nullptr;
  /// The first thread's TCB exists; the thread pointer is not set yet.
  void (*thread_created)(Runtime&, std::uintptr_t tp) = nullptr;
  /// The thread pointer is set; nothing is relocated.
  void (*before_relocation)(Runtime&) = nullptr;
  /// Everything is relocated, TLS images are in place, no constructor has run.
  void (*before_constructors)(Runtime&) = nullptr;
  /// A dlopen brought a libc into a namespace of its own.
  void (*libc_loaded)(Runtime&, load::Namespace&) = nullptr;
  /// envp for constructors that run later: the program may have changed its environment.
  char** (*environment)(Runtime&) = nullptr;
  /// Has the time that the process spends in [from, from + text_bytes) counted, where the libc can:
  /// for each bytes / 2 part of it in one of `counters`. Needs: before_constructors() is over.
  void (*take_time)(Runtime&,
                    std::uint16_t* counters,
                    std::size_t bytes,
                    std::uintptr_t from,
                    std::size_t text_bytes) = nullptr;
  /// Destructors of thread-local objects that a module still owes.
  bool (*has_pending_destructors)(const Module&) = nullptr;
};

/// The adapter for programs with no libc.
extern const RuntimeAbi kBare;

}  // namespace myld::abi
