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

void* hook_dlopen(const char* file, int mode, void* caller) {
  return dlopen::open(file, mode, number(caller), dlopen::kCallersNamespace);
}
int hook_dlclose(void* handle) { return dlopen::close(handle); }
void* hook_dlsym(void* handle, const char* name, void* caller) {
  return dlopen::symbol(handle, name, nullptr, number(caller));
}
void* hook_dlvsym(void* handle, const char* name, const char* version, void* caller) {
  return dlopen::symbol(handle, name, version, number(caller));
}
char* hook_dlerror() { return dlopen::error(); }
int hook_dladdr(const void* at, dlopen::AddressInfo* info) {
  return dlopen::address(at, info, nullptr, 0);
}
int hook_dladdr1(const void* at, dlopen::AddressInfo* info, void** extra, int flags) {
  return dlopen::address(at, info, extra, flags);
}
int hook_dlinfo(void* handle, int request, void* argument) {
  return dlopen::info(handle, request, argument);
}
void* hook_dlmopen(long ns, const char* file, int mode, void* caller) {
  return dlopen::open(file, mode, number(caller), ns);
}

/// libc's own calls must not touch what the program has not read of dlerror yet.
class KeepError {
public:
  KeepError() : thread_(tls::current_thread()), kept_(thread_->error) { thread_->error = {}; }
  ~KeepError() {
    dlopen::clear_error();
    thread_->error = kept_;
  }
  KeepError(const KeepError&) = delete;
  KeepError& operator=(const KeepError&) = delete;

private:
  tls::Thread* thread_;
  tls::ErrorText kept_;
};

/// libc does not say who it calls for: itself.
std::uintptr_t libc_address() { return the_runtime().first.libc->mapping.start.value; }

void* libc_dlopen_mode(const char* name, int mode) {
  constexpr int kInternal = static_cast<int>(0x80000000);
  KeepError keep;
  return dlopen::open(name, mode & ~kInternal, libc_address(), dlopen::kCallersNamespace);
}
void* libc_dlsym(void* map, const char* name) {
  KeepError keep;
  return dlopen::symbol(map, name, nullptr, libc_address());
}
void* libc_dlvsym(void* map, const char* name, const char* version) {
  KeepError keep;
  return dlopen::symbol(map, name, version, libc_address());
}
int libc_dlclose(void* map) {
  KeepError keep;
  return dlopen::close(map);
}

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
