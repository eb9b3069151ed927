// The state of the process's loader, all of it. Passed by reference; only the entry points (the PLT
// trampoline, the dl* functions, the TLS slow path, the finaliser) know its global address.
#pragma once
#include "arch/port.hpp"
#include "loader/load/loader.hpp"
#include "loader/sys/recursive_lock.hpp"
#include "loader/sys/stack.hpp"
#include "rtld/abi/runtime_abi.hpp"
#include "rtld/audit/audit.hpp"
#include "rtld/tls/tls.hpp"

namespace myld {

/// What is done with the program.
enum class Mode : std::uint8_t {
  run,
  list,            ///< --list: its modules are printed; a missing one is an error
  trace,           ///< LD_TRACE_LOADED_OBJECTS: the same for ldd(1), which shows what is missing
  tree,            ///< --tree: mapped as data, nothing is run
  explain,         ///< --explain: the same
  verify,          ///< --verify: the exit status tells what kind of file it is
  bind,            ///< --bind: mapped as data, its binding file is written
  verify_binding,  ///< --verify-binding: the same, and the file is compared
};

/// What the user asked for, on the command line and in the environment.
struct Options {
  Mode mode = Mode::run;
  bool json = false;                     ///< --json: lists and failures for machines
  bool bind_now = false;                 ///< LD_BIND_NOW
  bool bind_not = false;                 ///< LD_BIND_NOT
  bool trace_program = false;            ///< LD_TRACE_LOADED_OBJECTS=2: the program is listed too
  bool trace_relocate = false;           ///< LD_WARN with tracing: report undefined symbols
  bool trace_versions = false;           ///< LD_VERBOSE with tracing
  bool trace_unused = false;             ///< LD_DEBUG=unused with tracing
  const char* preload = nullptr;         ///< LD_PRELOAD
  const char* preload_option = nullptr;  ///< --preload
  const char* trace_file = nullptr;      ///< --trace
  const char* report_file = nullptr;     ///< --report
  const char* config = nullptr;          ///< --config
  const char* preload_configured = nullptr;  ///< of the configuration, a name a line
  std::uint64_t tls_surplus = 0;             ///< of the configuration, at least so many bytes
  const char* explain = nullptr;             ///< --explain: a symbol or a library
  const char* argv0 = nullptr;               ///< --argv0
  const char* allow = nullptr;               ///< MYLD_ALLOW, --allow
  const char* binding = nullptr;             ///< MYLD_BINDING, or what the configuration says
  const char* huge_text = nullptr;           ///< MYLD_HUGE_TEXT, or what the configuration says
  bool image = false;                        ///< --image
  const char* origin_path =
      nullptr;  ///< LD_ORIGIN_PATH: $ORIGIN of the program where /proc is not mounted
  const char* debug = nullptr;           ///< LD_DEBUG
  const char* debug_output = nullptr;    ///< LD_DEBUG_OUTPUT
  const char* audit = nullptr;           ///< LD_AUDIT
  const char* audit_option = nullptr;    ///< --audit
  const char* profile = nullptr;         ///< LD_PROFILE
  const char* profile_output = nullptr;  ///< LD_PROFILE_OUTPUT
  bool show_auxv = false;                ///< LD_SHOW_AUXV
  bool dynamic_weak = false;  ///< LD_DYNAMIC_WEAK: a weak definition gives way to a later one
};

struct Runtime {
  load::Loader loader;
  load::Namespace first;             ///< LM_ID_BASE
  Vec<load::Namespace*> namespaces;  ///< by id; nullptr where one was closed
  load::Module* program = nullptr;
  load::Module* vdso = nullptr;
  tls::State tls;
  audit::State audit;
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
  const char* loader_name = "";        ///< direct: argv[0] of the command
  const char* loader_file = nullptr;   ///< direct: what command_file() said of it
  const char* program_file = nullptr;  ///< direct: the file that was named (heap string)
  elf::Ehdr program_header{};          ///< direct: its header

  /// Modules that nobody uses any more but that a thread still has something of (dlclose).
  Vec<load::Module*> lingering;
  std::uint32_t closing = 0;  ///< calls of dlclose whose modules are on their way out
  std::uint32_t next_init_rank = 0;
  std::uint32_t bound_lazily = 0;    ///< slots; counted for LD_DEBUG=statistics alone
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
