#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>

static int answer, closed;
static void* missing;

static void* run(void* result) {
  void* library = dlopen("liblib.so", RTLD_LAZY);
  int (*function)(void) = library == NULL ? NULL : (int (*)(void))dlsym(library, "answer");
  answer = function == NULL ? 0 : function();
  closed = library == NULL ? -1 : dlclose(library);
  missing = dlopen("libmissing.so", RTLD_NOW);
  pthread_exit(result);  // libc opens the unwinder's library for this
}

int main(void) {
  pthread_t thread;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
  pthread_create(&thread, &attributes, run, &answer);
  void* result = NULL;
  pthread_join(thread, &result);
  printf("found and called: %d\n", answer);
  printf("closed: %d\n", closed);
  printf("a missing library: %p\n", missing);
  puts(result == &answer ? "the thread ended by pthread_exit" : "?");
  return 0;
}
