// What a row of the table runs: tells how it was started, and what its libraries give.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int a(void);
extern char** environ;

/// open NAME: dlopen, value of open_value(), dlclose.
static int open_and_close(const char* name) {
  void* library = dlopen(name, RTLD_LAZY);
  if (library == NULL) {
    puts(dlerror());
    return 1;
  }
  int (*value)(void) = (int (*)(void))dlsym(library, "value");
  printf("value=%d\n", value == NULL ? -1 : value());
  dlclose(library);
  return 0;
}

int main(int argc, char** argv) {
  printf("a=%d", a());
  for (int i = 0; i < argc; ++i) printf(" %s", argv[i]);
  putchar('\n');
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "env") == 0)
      for (char** e = environ; *e != NULL; ++e)
        if (strncmp(*e, "_=", 2) != 0) puts(*e);
    if (strcmp(argv[i], "exit") == 0 && i + 1 < argc) return atoi(argv[i + 1]);
    if (strcmp(argv[i], "open") == 0 && i + 1 < argc && open_and_close(argv[i + 1]) != 0) return 1;
  }
  return 0;
}
