#define _GNU_SOURCE 1
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int counter;
int increment(void) { return ++counter; }

void* address_of_malloc(void) { return (void*)malloc; }
void* address_of_stdout(void) { return stdout; }
void* address_of_environ(void) { return &environ; }

int allocate_and_format(void) {
  char* block = malloc(100000);
  if (block == NULL) return 0;
  snprintf(block, 100000, "%d %s", 12, "words");
  int good = strcmp(block, "12 words") == 0;
  free(block);
  return good;
}

int sees_only_in_base(void) { return getenv("ONLY_IN_BASE") != NULL; }
int fail_with_ebadf(void) { return close(-1); }
int read_errno(void) { return errno; }

int default_in_program(void) {
  int found = dlsym(RTLD_DEFAULT, "in_program") != NULL;
  (void)dlerror();
  return found;
}

void* open_other(void) { return dlopen("libother.so", RTLD_NOW); }
int fail_to_open(void) { return dlopen("no-such-file.so", RTLD_NOW) == NULL; }
int error_is_there(void) {
  const char* text = dlerror();
  return text != NULL && strstr(text, "no-such-file.so") != NULL;
}
