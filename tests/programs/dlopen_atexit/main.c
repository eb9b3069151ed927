// What a library has registered for the end runs when it is closed, or else at exit.
#include "../check.h"

static void at_the_end(void) { puts("main's exit handler"); }

static void* use(void) {
  void* handle = must_open("liblib.so", RTLD_NOW);
  ((void (*)(void))must_find(handle, "use_library"))();
  return handle;
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  atexit(at_the_end);
  void* handle = use();
  puts("close");
  dlclose(handle);
  puts("again");
  use();
  dlclose(must_open("liblib.so", RTLD_NOW));
  puts("exit");
  return 0;
}
