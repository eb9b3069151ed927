#define _GNU_SOURCE
#include <link.h>
#include <string.h>

unsigned la_version(unsigned version) { return version; }

char* la_objsearch(const char* name, uintptr_t* cookie, unsigned flag) {
  (void)cookie;
  static char place[] = "there/libwhere.so";
  return flag == LA_SER_RUNPATH && strstr(name, "here/libwhere.so") != NULL ? place : (char*)name;
}
