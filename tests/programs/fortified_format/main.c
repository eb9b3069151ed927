// printf of a program built with _FORTIFY_SOURCE takes %n only where the format cannot be written
// to.
#include <dlfcn.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const char* constant_format(void);
const char* protected_format(void);
const char* writable_format(void);

static sigjmp_buf back;
static void aborted(int signal) { siglongjmp(back, signal); }

static void try_format(const char* where, const char* volatile format) {
  int bytes = -1;
  if (sigsetjmp(back, 1) == 0) {
    char out[64];
    snprintf(out, sizeof out, format, &bytes);
    printf("%s: %s, %d bytes\n", where, out, bytes);
  } else {
    printf("%s: ended\n", where);
  }
}

static const char* opened(void* library, const char* function) {
  return ((const char* (*)(void))dlsym(library, function))();
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  dup2(1, 2);  // where libc says why
  signal(SIGABRT, aborted);
  try_format("the program's text", "own%n");
  try_format("a library's text", constant_format());
  try_format("a library's RELRO", protected_format());
  try_format("a library's data", writable_format());
  void* library = dlopen("./libopened.so", RTLD_NOW);
  try_format("an opened library's text", opened(library, "constant_format"));
  try_format("an opened library's RELRO", opened(library, "protected_format"));
  try_format("an opened library's data", opened(library, "writable_format"));
  char on_stack[16] = "stack%n";
  try_format("the stack", on_stack);
  char* pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  strcpy(pages, "mapped%n");
  try_format("other memory", pages);
  mprotect(pages, 8192, PROT_READ);
  try_format("other memory that is read-only", pages);
  return 0;
}
