#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <stddef.h>
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

int chain(void) { return NUMBER; }

static int call(void* function) { return function != NULL ? ((int (*)(void))function)() : -1; }

int PASTE(next_chain_, NAME)(void) {
  void* next = dlsym(RTLD_NEXT, "chain");
  return call(next);
}

int PASTE(default_chain_, NAME)(void) {
  void* found = dlsym(RTLD_DEFAULT, "chain");
  return call(found);
}

#if NUMBER == 4
extern int only_in_group_b(void);
int direct_only_in_group_b(void) { return only_in_group_b(); }
int default_only_in_group_b(void) {
  void* found = dlsym(RTLD_DEFAULT, "only_in_group_b");
  return call(found);
}
#elif NUMBER == 6
int only_in_group_b(void) { return 6; }
#endif
