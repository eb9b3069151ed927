#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <string.h>
extern void note_talk(void);

static void talk(void) {
  if (dlopen("no-such-file.so", RTLD_NOW) != 0) return;
  const char* text = dlerror();
  if (text == 0 || strstr(text, "no-such-file.so") == 0) return;
  if (dlsym(RTLD_DEFAULT, "no_such_symbol") != 0 || dlerror() == 0) return;
  void* handle = dlopen("libquiet.so", RTLD_NOW);
  if (handle == 0 || dlsym(handle, "quiet") == 0 || dlclose(handle) != 0) return;
  note_talk();
}

__attribute__((constructor)) static void begin(void) { talk(); }
__attribute__((destructor)) static void end(void) { talk(); }
