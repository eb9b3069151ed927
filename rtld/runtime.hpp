// The state of the process's loader, all of it. Passed by reference; only the entry points (the PLT
// trampoline, the dl* functions, the TLS slow path, the finaliser) know its global address.
#pragma once
#include "arch/port.hpp"
#include "loader/load/loader.hpp"
#include "loader/sys/recursive_lock.hpp"
#include "loader/sys/stack.hpp"
#include "rtld/abi/runtime_abi.hpp"
#include "rtld/tls/tls.hpp"

namespace myld {

/// What the user asked for, on the command line and in the environment.
struct Options {
  bool bind_now = false;                 ///< LD_BIND_NOW
  bool bind_not = false;                 ///< LD_BIND_NOT
  bool trace_objects = false;            ///< --list, LD_TRACE_LOADED_OBJECTS
  bool verify = false;                   ///< --verify
  bool trace_relocate = false;           ///< LD_WARN with tracing: report undefined symbols
  bool trace_versions = false;           ///< LD_VERBOSE with tracing
  const char* preload = nullptr;         ///< LD_PRELOAD
  const char* preload_option = nullptr;  ///< --preload
  const char* argv0 = nullptr;           ///< --argv0
  const char* origin_path = nullptr;     ///< LD_ORIGIN_PATH
  const char* tunables = nullptr;        ///< GLIBC_TUNABLES
  bool show_auxv = false;                ///< LD_SHOW_AUXV
};

struct Runtime {
  load::Loader loader;
  load::Namespace first;             ///< LM_ID_BASE
  Vec<load::Namespace*> namespaces;  ///< by id; nullptr where one was closed
  load::Module* program = nullptr;
  load::Module* vdso = nullptr;
  tls::State tls;
  const abi::RuntimeAbi* abi = nullptr;
  arch::IfuncArguments hwcaps{};

  sys::InitialStack stack{};
  int argc = 0;
  char** argv = nullptr;
  char** envp = nullptr;
  bool secure = false;
  bool direct = false;   ///< started as a command, not as PT_INTERP
  bool started = false;  ///< the program runs: errors go to dlerror
  Options options;

  std::uint32_t next_init_rank = 0;
  sys::RecursiveLock own_load_lock;  ///< where there is no libc to share one with
  sys::RecursiveLock own_chain_lock;
  sys::RecursiveLock* load_lock = &own_load_lock;
  /// Held while a module is taken out of a chain, and by libc's dl_iterate_phdr during its
  /// callbacks. Taken before load_lock where both are, since a callback may call dlopen.
  sys::RecursiveLock* chain_lock = &own_chain_lock;
};

// Raw memory, since a global with a destructor would need an initialiser to register it; the loader
// lives as long as the process. myld_main makes the object.
alignas(Runtime) extern unsigned char g_runtime_memory[sizeof(Runtime)];

/// The one instance. See above for who may name it.
inline Runtime& the_runtime() { return *reinterpret_cast<Runtime*>(g_runtime_memory); }

}  // namespace myld
