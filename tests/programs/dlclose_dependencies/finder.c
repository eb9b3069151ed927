#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <stddef.h>
static int (*found)(void);
int find_provided(void) {
  found = (int (*)(void))dlsym(RTLD_DEFAULT, "provided");
  return found != NULL ? found() : -1;
}
int call_found(void) { return found(); }
