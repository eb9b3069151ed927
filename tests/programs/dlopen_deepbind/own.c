#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <unistd.h>
extern int dep_name(void);
int name(void) { return 2; }
int call_name(void) { return name(); }
int call_dep_name(void) { return dep_name(); }
int call_getppid(void) { return getppid(); }
int default_name(void) {
  int (*found)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "name");
  return found();
}
