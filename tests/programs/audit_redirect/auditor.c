#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <string.h>

// Whoever calls can be found by its address already: 0 declines to audit.
unsigned la_version(unsigned version) {
  Dl_info caller;
  return dladdr(__builtin_return_address(0), &caller) != 0 ? version : 0;
}

char* la_objsearch(const char* name, uintptr_t* cookie, unsigned flag) {
  (void)cookie;
#ifdef BY_NAME
  static char place[] = "$ORIGIN/there/libwhere.so";
  return flag == LA_SER_ORIG && strcmp(name, "libwhere.so") == 0 ? place : (char*)name;
#else
  static char place[] = "there/libwhere.so";
  return flag == LA_SER_RUNPATH && strstr(name, "here/libwhere.so") != NULL ? place : (char*)name;
#endif
}
