// main FUNCTION: opens the library, calls the function, in a thread too, and closes it.
#include "../check.h"
#include <pthread.h>

static void* call(void* function) {
  ((int (*)(void))function)();
  return NULL;
}

int main(int argc, char** argv) {
  void* handle = must_open("liblib.so", RTLD_LAZY);
  void* function = must_find(handle, argc > 1 ? argv[1] : "right");
  call(function);
  pthread_t thread;
  if (pthread_create(&thread, NULL, call, function) != 0) give_up("pthread_create");
  pthread_join(thread, NULL);
  if (dlopen("no-such-file.so", RTLD_LAZY) != NULL || dlerror() == NULL) give_up("dlerror");
  if (strcmp(argv[argc - 1], "lose") != 0) dlclose(handle);
  return 0;
}
