// Wraps functions of libc and of a library, each by its next definition.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>

int puts(const char* text) {
  int (*next)(const char*) = (int (*)(const char*))dlsym(RTLD_NEXT, "puts");
  printf("[%s] ", NAME);
  return next(text);
}
int value(void) {
  int (*next)(void) = (int (*)(void))dlsym(RTLD_NEXT, "value");
  return 10 * next() + 1;
}
