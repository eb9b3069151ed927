// Opens a library in its constructor, and closes it in its destructor, when the process ends: the
// other's destructor is still to come.
#include <dlfcn.h>
#include <stdio.h>

extern int opened_value(void);
static void* opened;

int opener_calls(void) { return opened_value(); }

__attribute__((constructor)) static void begin(void) {
  opened = dlopen("libopened.so", RTLD_LAZY | RTLD_GLOBAL);
  if (opened == NULL) puts(dlerror());
}

__attribute__((destructor)) static void end(void) {
  printf("opener closes opened: %d\n", dlclose(opened));
}
