// The door that glibc leaves for a loader that is not its own: _rtld_global_ro._dl_dlfcn_hook, a
// table through which every dl* function of libc.so.6 and libc's own uses of them (NSS, iconv,
// unwinding) go, with the address of the caller. Source: glibc's include/dlfcn.h, struct
// dlfcn_hook.
#include "rtld/dlopen/dlfcn.hpp"
#include "rtld/glibc/adapter.hpp"
#include "rtld/glibc/record.hpp"
#include "rtld/glibc/storage.hpp"

namespace myld::glibc {
namespace {

std::uintptr_t number(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }

/// The functions that are not told who calls know where they return to: libc jumps to them from its
/// own last instruction, or calls them; in either case that is in the caller's namespace.
#define MYLD_CALLER number(__builtin_return_address(0))

void* hook_dlopen(const char* file, int mode, void* caller) {
  dlopen::use_errors_of(number(caller));
  return dlopen::open(file, mode, number(caller), dlopen::kCallersNamespace);
}
int hook_dlclose(void* handle) {
  dlopen::use_errors_of(MYLD_CALLER);
  return dlopen::close(handle);
}
void* hook_dlsym(void* handle, const char* name, void* caller) {
  dlopen::use_errors_of(number(caller));
  return dlopen::symbol(handle, name, nullptr, number(caller));
}
void* hook_dlvsym(void* handle, const char* name, const char* version, void* caller) {
  dlopen::use_errors_of(number(caller));
  return dlopen::symbol(handle, name, version, number(caller));
}
char* hook_dlerror() {
  dlopen::use_errors_of(MYLD_CALLER);
  return dlopen::error();
}
int hook_dladdr(const void* at, dlopen::AddressInfo* info) {
  return dlopen::address(at, info, nullptr, 0);
}
int hook_dladdr1(const void* at, dlopen::AddressInfo* info, void** extra, int flags) {
  return dlopen::address(at, info, extra, flags);
}
int hook_dlinfo(void* handle, int request, void* argument) {
  dlopen::use_errors_of(MYLD_CALLER);
  return dlopen::info(handle, request, argument);
}
void* hook_dlmopen(long ns, const char* file, int mode, void* caller) {
  dlopen::use_errors_of(number(caller));
  return dlopen::open(file, mode, number(caller), ns);
}

/// libc's own calls must not touch what the program has not read of dlerror yet.
class KeepError {
public:
  explicit KeepError(std::uintptr_t caller) : caller_(caller), thread_(tls::current_thread()) {
    dlopen::use_errors_of(caller_);
    dlopen::make_unread_text();
    text_ = thread_->error.text;
    pending_ = thread_->error.pending;
    thread_->error.text = nullptr;
    thread_->error.pending = false;
  }
  ~KeepError() {
    dlopen::use_errors_of(caller_);  // a constructor may have changed it
    dlopen::clear_error();
    thread_->error.text = text_;
    thread_->error.pending = pending_;
  }
  KeepError(const KeepError&) = delete;
  KeepError& operator=(const KeepError&) = delete;

private:
  std::uintptr_t caller_;
  tls::Thread* thread_;
  char* text_;
  bool pending_;
};

// The libc that calls is the one of its namespace, and what it opens goes there.
void* libc_dlopen_mode(const char* name, int mode) {
  constexpr int kInternal = static_cast<int>(0x80000000);
  std::uintptr_t caller = MYLD_CALLER;
  KeepError keep(caller);
  return dlopen::open(name, mode & ~kInternal, caller, dlopen::kCallersNamespace);
}
void* libc_dlsym(void* map, const char* name) {
  std::uintptr_t caller = MYLD_CALLER;
  KeepError keep(caller);
  return dlopen::symbol(map, name, nullptr, caller);
}
void* libc_dlvsym(void* map, const char* name, const char* version) {
  std::uintptr_t caller = MYLD_CALLER;
  KeepError keep(caller);
  return dlopen::symbol(map, name, version, caller);
}
int libc_dlclose(void* map) {
  KeepError keep(MYLD_CALLER);
  return dlopen::close(map);
}

#undef MYLD_CALLER

struct Hook {
  void* (*dlopen)(const char*, int, void*);
  int (*dlclose)(void*);
  void* (*dlsym)(void*, const char*, void*);
  void* (*dlvsym)(void*, const char*, const char*, void*);
  char* (*dlerror)();
  int (*dladdr)(const void*, dlopen::AddressInfo*);
  int (*dladdr1)(const void*, dlopen::AddressInfo*, void**, int);
  int (*dlinfo)(void*, int, void*);
  void* (*dlmopen)(long, const char*, int, void*);
  void* (*libc_dlopen_mode)(const char*, int);
  void* (*libc_dlsym)(void*, const char*);
  void* (*libc_dlvsym)(void*, const char*, const char*);
  int (*libc_dlclose)(void*);
};
static_assert(sizeof(Hook) == 104);

constinit const Hook kHook = {hook_dlopen,  hook_dlclose,     hook_dlsym,   hook_dlvsym,
                              hook_dlerror, hook_dladdr,      hook_dladdr1, hook_dlinfo,
                              hook_dlmopen, libc_dlopen_mode, libc_dlsym,   libc_dlvsym,
                              libc_dlclose};

}  // namespace

void install_dlfcn_hook() {
  Record(_rtld_global_ro).put(g_adapter.layout->rtld_global_ro._dl_dlfcn_hook, &kHook);
}

}  // namespace myld::glibc
