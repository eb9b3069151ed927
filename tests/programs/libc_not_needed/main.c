#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>

int last_of(const char* text);

int main(void) {
  printf("at the start: %c\n", last_of("abc"));
  void* handle = dlmopen(LM_ID_NEWLM, "libwith.so", RTLD_NOW);
  if (handle == NULL) return puts(dlerror()), 1;
  int (*f)(const char*) = (int (*)(const char*))dlsym(handle, "last_of");
  printf("in a new namespace: %c\n", f("xyz"));
}
