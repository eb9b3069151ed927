// The adapter for programs on glibc: fills the structures that libc.so.6 shares with its loader, by
// the Layout of the build that was found, and answers its calls.
#pragma once
#include "rtld/abi/runtime_abi.hpp"
#include "rtld/glibc/cpu_features.hpp"
#include "rtld/glibc/detect.hpp"
#include "rtld/glibc/tunables.hpp"
#include "rtld/runtime.hpp"

namespace myld::glibc {

struct Adapter {
  const Layout* layout = nullptr;
  Tunables tunables;
  CpuResult cpu;
  std::uint64_t pointer_guard = 0, stack_guard = 0;
  std::int64_t rseq_offset = 0;  ///< of the area from the thread pointer
  std::uint64_t rseq_bytes = 0;  ///< of the area
  abi::RuntimeAbi runtime_abi;
};

/// The one instance; libc's entry points reach it by name.
extern constinit Adapter g_adapter;

/// Bytes from the thread descriptor (struct pthread) to the thread pointer: 0 in variant II, where
/// it begins there. In variant I it lies below, and between the two is what the psABI keeps there.
/// Source: sysdeps/{aarch64,riscv}/nptl/tls.h, TLS_PRE_TCB_SIZE: the TCB is rounded up to the
/// alignment of struct pthread, 32.
constexpr std::uint64_t descriptor_distance(const Layout& layout) {
  using Port = arch::Port;
  return Port::kTlsVariant == arch::TlsVariant::ii
             ? 0
             : layout.pthread.size + round_up(Port::kTcbBelow, 32);
}

/// Is this module the C library?
bool is_libc(const load::Module& module);

/// What the kernel says of the CPU.
CpuFacts cpu_facts(const sys::InitialStack& stack);

/// Finds out which glibc `libc` is and makes the adapter for it. Needs: mapped, not relocated.
/// Errors: unknown_libc, with the explanation as its subject.
Result<const abi::RuntimeAbi*> adapt(Runtime& runtime, load::Module& libc);

// The parts, each in its own file.
void fill_globals(Runtime& runtime);                            // globals.cpp
void fill_vdso(Runtime& runtime);                               // globals.cpp
void namespace_changed(Runtime& runtime, load::Namespace& ns);  // link_map.cpp
void fill_link_map(Runtime& runtime, load::Module& module);     // link_map.cpp
void slots_changed(std::uint64_t module_id);                    // link_map.cpp
void release_link_map_tail(Runtime& runtime, load::Module& module);
bool has_pending_destructors(const load::Module& module);
void create_main_thread(Runtime& runtime, std::uintptr_t tp);  // main_thread.cpp
bool change_static_size(std::uint64_t bytes);                  // static_size.cpp
void seal_static_size();                                       // static_size.cpp
void install_dlfcn_hook();                                     // dlfcn_hook.cpp
void register_fork_handlers(Runtime& runtime);                 // fork.cpp

/// Address of a function or object that `libc` defines, whatever its version, or nullptr.
void* find_in_libc(const load::Module& libc, const char* name);

}  // namespace myld::glibc
