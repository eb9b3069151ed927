// Thread-local storage of the process: module IDs, the threads' DTVs, blocks.
//
// Everything that can fail happens in dlopen and in thread creation: when a module becomes
// reachable every thread that exists has its block, and every thread that is created gets all
// blocks. So an access is two loads, allocates nothing, takes no lock and cannot fail, in a signal
// handler too.
//
// One window remains: a thread whose DTV was filled before a concurrent dlopen and which the
// registry did not hold yet. The registry closes it: filling and registering happen under one lock,
// and dlopen walks the registry under the same lock.
//
// The DTV's shape is what libthread_db and libc's thread code expect: entries of two words, [-1]
// holds the capacity, [0] the generation. Entry [-2] is ours: it leads back to the thread's record.
#pragma once
#include "arch/port.hpp"
#include "loader/base/error.hpp"
#include "loader/load/module.hpp"
#include "loader/sys/futex_lock.hpp"
#include "rtld/tls/static_layout.hpp"

namespace myld::tls {

using load::Module;

struct DtvEntry {
  std::uintptr_t value;
  void* to_free;  ///< libc frees it when it recycles a stack: always nullptr
};
inline constexpr std::uintptr_t kNoBlock = ~std::uintptr_t{0};

/// What __tls_get_addr is given. Source: psABI TLS supplement.
struct TlsIndex {
  std::uint64_t module, offset;
};

/// Error state of dlerror(3) of one thread, for the callers in one namespace: each has a libc, and
/// so a dlerror, of its own.
struct ErrorText {
  std::uint64_t serial = 0;     ///< of the namespace
  char* text = nullptr;         ///< heap string or nullptr
  bool pending = false;         ///< not yet reported
  char* reported = nullptr;     ///< what dlerror returned last: valid until the next call
  ErrorText* others = nullptr;  ///< those of the other namespaces that called
};

/// The text of an error for which there was no memory: it is not on the heap.
extern constinit char g_out_of_memory[];
void release_error_text(char*& text);

/// The loader's record of a thread.
struct Thread {
  Thread* previous;
  Thread* next;
  std::uintptr_t tp;
  DtvEntry* dtv;           ///< points at entry [0]
  std::uint64_t capacity;  ///< highest usable index
  void** blocks;           ///< what the loader allocated for module i, or nullptr
  ErrorText error;
  /// The error of `error`, before somebody wants to read its text: its strings are in `kept`.
  Error unread;
  KeptError* kept;              ///< made when it is first needed
  void* catcher;                ///< for the libc adapter
  std::uint32_t foreign_depth;  ///< calls of constructors and destructors it is in (rtld/init/gate)
  std::uint32_t reading;        ///< read sections it is in (rtld/entry.hpp)
};

/// A module that has thread-local storage, by ID.
struct Slot {
  Module* module;
  std::uint64_t generation;
};

struct State {
  sys::FutexLock lock;
  StaticLayout layout;
  std::uint64_t surplus = 0;    ///< bytes kept free for modules loaded later
  std::uint64_t tcb_bytes = 0;  ///< of the TCB, on the other side of the blocks
  std::uint64_t tcb_align = 16;
  bool layout_final = false;       ///< the first thread exists: only the surplus is left
  std::uint64_t static_limit = 0;  ///< largest layout.used() that a thread has room for
  std::uint64_t start_limit = 0;   ///< static_limit as it was in the beginning
  /// As far as the first thread's memory could be extended, and so static_limit raised; equal to it
  /// once there was a second thread.
  std::uint64_t reach = 0;
  std::uint64_t page_size = 4096;
  /// Of the surplus, what modules may take that would do without.
  std::uint64_t optional_left = 0;
  Vec<Slot> slots;                ///< by module ID; [0] is unused
  std::uint64_t lowest_free = 1;  ///< no module ID below it is free
  std::uint64_t generation = 0;
  Thread threads{};  ///< head of the circular list
  std::uint64_t thread_count = 0;
  void (*slots_changed)(std::uint64_t module_id) = nullptr;  ///< for the libc adapter's mirror
  /// Asks the libc adapter to give new threads that much static TLS, static_size(). False: it
  /// cannot.
  bool (*size_changes)(std::uint64_t bytes) = nullptr;
  /// Tells it that from now on size_changes will not be called.
  void (*size_is_final)() = nullptr;
  /// Told of memory that the loader makes TLS blocks of, and gives back; for leak checkers.
  void (*block_made)(const void* block, std::size_t bytes) = nullptr;
  void (*block_gone)(const void* block, std::size_t bytes) = nullptr;
  bool leak_checker_sought = false;
};

/// Makes the registry usable.
void initialise(State& state);

/// Gives a module with PT_TLS its ID and, before layout_final, its place. At run time a static
/// place is taken by require_static(), and here while State::optional_left has room: accesses
/// through descriptors are cheaper then, and a module that is opened later may refer to it by
/// initial exec. Errors: out_of_memory.
Status assign(State& state, Module& module);

/// Puts the block of a module into static TLS, for initial-exec references. Before layout_final
/// every module is there. Errors: no_static_tls with the sizes, tls_is_in_use.
Status require_static(State& state, Module& module);

/// Takes part of the optional room, if the block fits. Needs: layout_final, no reference relocated.
void use_optional_room(State& state, Module& module);

/// Ends the layout: from here on threads have static_size() bytes.
void finish_layout(State& state);

/// After a module with static TLS is gone: the limit goes back where it can.
void give_static_back(State& state);

/// There will be more than one thread: whatever needs its memory to grow comes too late.
void end_static_growth(State& state);

/// Bytes of static TLS, TCB included where it is on the same allocation as variant II has it.
std::uint64_t static_size(const State& state);
std::uint64_t static_align(const State& state);

/// Creates the first thread's block and TCB, zeroed, and returns its thread pointer (not yet set).
Result<std::uintptr_t> create_first_thread(State& state);

/// Makes the record and the DTV of the first thread. False: no memory.
bool add_first_thread(State& state, std::uintptr_t tp);

/// After relocation: copies the initialisation images into the calling (only) thread's blocks.
void initialise_first_thread(State& state, std::uintptr_t tp);

/// Gives every thread its block of the new `modules` (dlopen, after relocation). All or nothing.
/// Errors: out_of_memory.
Status add_to_threads(State& state, std::span<Module* const> modules);

/// Takes a module's blocks from every thread and its ID from the process.
void remove(State& state, Module& module);

/// A new or recycled thread whose TCB memory libc made. False when memory ran out.
bool create_thread(State& state, std::uintptr_t tp);
bool recycle_thread(State& state, std::uintptr_t tp);
void destroy_thread(State& state, std::uintptr_t tp);

/// Gives the calling thread every block that it lacks. False when memory ran out.
bool fill_current_thread(State& state);

/// The DTV (entry [0]) of the thread at `tp`.
DtvEntry* first_dtv(std::uintptr_t tp);

/// The calling thread's DTV, or nullptr.
[[gnu::always_inline]] inline const DtvEntry* current_dtv() {
  auto at = arch::thread_pointer() + static_cast<std::uintptr_t>(arch::kDtvFromThreadPointer);
  return *reinterpret_cast<DtvEntry* const*>(at);
}

/// The calling thread's record, through its DTV. nullptr before the first thread is set up.
[[gnu::always_inline]] inline Thread* current_thread() {
  const DtvEntry* dtv = current_dtv();
  return dtv == nullptr ? nullptr : reinterpret_cast<Thread*>(dtv[-2].value);
}

/// The calling thread's block of the module with this TLS module ID (0: it has no TLS), or nullptr.
inline void* block_of(std::uint64_t module_id) {
  const DtvEntry* dtv = current_dtv();
  if (module_id == 0 || dtv == nullptr || module_id > dtv[-1].value) return nullptr;
  std::uintptr_t value = dtv[module_id].value;
  return value == kNoBlock ? nullptr : reinterpret_cast<void*>(value);
}

}  // namespace myld::tls
