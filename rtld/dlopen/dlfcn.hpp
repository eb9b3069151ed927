// dlopen(3) and its relatives, as functions that are told who calls. A libc adapter puts them
// behind the public names.
#pragma once
#include "rtld/dlopen/scopes.hpp"
#include "rtld/runtime.hpp"

namespace myld::dlopen {

using load::Module;

// <dlfcn.h>
inline constexpr int kLazy = 1, kNow = 2, kBindingMask = 3, kNoLoad = 4, kDeepBind = 8,
                     kGlobal = 0x100, kNoDelete = 0x1000;
/// What sprof(1) adds: the file is only to be looked at, so none of its code is run.
inline constexpr int kForSprof = 0x40000000;
inline constexpr long kCallersNamespace = -2, kNewNamespace = -1;
/// Of the loader's own: an auditor's new namespace; none at all.
inline constexpr long kAuditorsNamespace = -3, kNoNamespace = -4;

/// <dlfcn.h>: Dl_info.
struct AddressInfo {
  const char* dli_fname;
  void* dli_fbase;
  const char* dli_sname;
  void* dli_saddr;
};

/// Every function below returns as dlopen(3), dlsym(3), dlclose(3), dlinfo(3), dladdr(3),
/// dlerror(3) say and leaves the error text to dlerror in the calling thread. `caller` is the
/// return address of the public function.
void* open(
    const char* file, int mode, std::uintptr_t caller, long ns, load::FileSource* source = nullptr);
int close(void* handle);
void* symbol(void* handle, const char* name, const char* version, std::uintptr_t caller);
char* error();
int address(const void* address, AddressInfo* info, void** extra, int flags);
int info(void* handle, int request, void* argument);

/// What follows is about the errors of the namespace that `caller` is in, until the thread's next
/// call of this. To be called at each public entrance.
void choose_errors_of(std::uintptr_t caller);
inline void use_errors_of(std::uintptr_t caller) {
  // While there is one namespace, there are no others' errors to choose from.
  const tls::Thread* t = tls::current_thread();
  if (the_runtime().namespaces.size() <= 1 && (t == nullptr || t->error.serial == 0)) [[likely]]
    return;
  choose_errors_of(caller);
}
/// Keeps `error` for the calling thread's dlerror(). Clears it when it is Code::none.
void set_error(const Error& error);
void forget_pending_error(tls::Thread& thread);
inline void clear_error() {
  tls::Thread* t = tls::current_thread();
  if (t != nullptr && t->error.pending) [[unlikely]]
    forget_pending_error(*t);
}
/// Before the text of the calling thread's error record is touched.
void make_unread_text();

/// What dlopen does, without constructors' and dlerror's part. Needs: the load lock.
/// nullptr with no error: kNoLoad, and it is not loaded.
struct Opened {
  Module* module = nullptr;
  bool is_new_namespace = false;
};
/// `order`: the modules whose constructors are to run, dependencies first.
Result<Opened> open_module(Runtime& runtime,
                           const char* file,
                           int mode,
                           Module* caller,
                           long ns,
                           load::FileSource* source,
                           Vec<Module*>& order);

/// Opens `name` with RTLD_LAZY in a new namespace of an auditor, constructors included. Needs: the
/// first thread; works before the program's libraries are there.
Result<Module*> open_in_new_namespace(Runtime& runtime, const char* name);

/// Makes the link_map of a module, if it has none yet, and the rest of what the world sees of it.
/// False: no memory.
bool make_link_map(Runtime& runtime, Module& module);
void release_link_map(Runtime& runtime, Module& module);

}  // namespace myld::dlopen
