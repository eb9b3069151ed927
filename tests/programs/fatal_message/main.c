// The loader ends the process with a message that libc has put together: _dl_fatal_printf, which
// libc calls with a format and arguments.
#include "../check.h"

int main(void) {
  void (*fatal)(const char*, ...) =
      (void (*)(const char*, ...))dlvsym(RTLD_DEFAULT, "_dl_fatal_printf", "GLIBC_PRIVATE");
  if (fatal == NULL) give_up("%s", dlerror());
  puts("found");
  fflush(stdout);
  fatal("%s: %d of %u%% at %x, %lu\n", "a text", 42, 100u, 0xabcu, 12345678901ul);
  return 0;
}
