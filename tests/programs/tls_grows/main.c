// While the process has one thread, a library with initial-exec TLS of any reasonable size can be
// opened, and the threads that come later have it too. Afterwards there is the surplus alone.
#include "../check.h"
#include <pthread.h>

static void result(const char* what, int holds) {
  printf("%s: %s\n", what, holds ? "ok" : "no");
  fflush(stdout);
}

// A thread that was given too little room has its TLS where its stack comes to lie.
__attribute__((noinline)) static void use_stack(void) {
  volatile char bytes[80 << 10];
  for (size_t i = 0; i < sizeof bytes; ++i) bytes[i] = -1;
}

static void* increment_twice(void* handle) {
  if (handle == NULL) return NULL;
  int first = call_int(handle, "increment");
  use_stack();
  int second = call_int(handle, "increment");
  return (void*)(intptr_t)(first == 6 && second == 7);
}

static int right_in_a_thread(void* handle, size_t stack_bytes) {
  pthread_t thread;
  pthread_attr_t attributes;
  void* right = NULL;
  pthread_attr_init(&attributes);
  if (stack_bytes != 0) pthread_attr_setstacksize(&attributes, stack_bytes);
  if (pthread_create(&thread, &attributes, increment_twice, handle) != 0) return 0;
  pthread_join(thread, &right);
  return right != NULL;
}

static int refused(const char* name, const char* error) {
  return dlopen(name, RTLD_NOW) == NULL && error_names(error);
}

static void rounds(void) {
  int right = 1;
  for (int i = 0; i < 100 && right; ++i) {
    void* handle = dlopen("libie-64k.so", RTLD_NOW);
    right = handle != NULL && call_int(handle, "increment") == 6;
    if (handle != NULL) dlclose(handle);
  }
  result("a library with 64 KiB, opened and closed 100 times", right);
}

// Two providers: one with little TLS, one with much.
static void move_providers(void) {
  void* small = must_open("libsmall.so", RTLD_NOW);
  int before = call_int(small, "here");
  void* user = dlopen("libuse-small.so", RTLD_NOW);
  result("a small object that is in use can be referred to by initial exec later",
         before == 31 && user != NULL && call_int(user, "there") == 32 &&
             call_int(small, "here") == 33);
  void* big = must_open("libbig.so", RTLD_NOW);
  before = call_int(big, "here");
  result("a large one cannot be moved, and is what it was",
         before == 31 &&
             refused("libuse-big.so", "libbig.so: cannot allocate memory in static TLS block") &&
             call_int(big, "here") == 32);
}

// What a closed library took is given back before there are threads, whose stacks it would be cut
// from.
static void close_and_make_thread(void) {
  void* large = dlopen("libie-500k.so", RTLD_NOW);
  if (large != NULL) dlclose(large);
  result("a thread with a stack of 256 KiB, after 500 kB of TLS were closed",
         right_in_a_thread(must_open("libie-1k.so", RTLD_NOW), 256 << 10));
}

int main(int argc, char** argv) {
  (void)argv;
  if (argc > 1) {
    close_and_make_thread();
    return check_status();
  }
  rounds();
  result("a library that fails after it was given room",
         dlopen("libie-broken.so", RTLD_NOW) == NULL && !module_loaded("libie-broken.so"));
  move_providers();
  const char* names[] = {"libie-64k.so", "libie-65k.so", "libie-66k.so"};
  void* big[3];
  int right = 1;
  for (int i = 0; i < 3; ++i) {
    big[i] = dlopen(names[i], RTLD_NOW);
    right = right && increment_twice(big[i]);
  }
  result("64 KiB of initial-exec TLS three times, before there are threads", right);
  if (big[1] != NULL) dlclose(big[1]);
  big[1] = dlopen(names[1], RTLD_NOW);
  result("one that was closed leaves its place to the next", increment_twice(big[1]) != NULL);
  result("256 MiB are refused",
         refused("libie-huge.so", "libie-huge.so: cannot allocate memory in static TLS block"));
  right = 1;
  for (int i = 0; i < 3; ++i)
    for (size_t stack = 0; stack <= 512 << 10; stack += 512 << 10)
      right = right && right_in_a_thread(big[i], stack);
  result("threads that are made then have all of it", right);
  void* small = dlopen("libie-1k.so", RTLD_NOW);
  result("with threads the surplus is left",
         small != NULL && increment_twice(small) && right_in_a_thread(small, 0));
  result("and no more, which the error says",
         refused("libie-500k.so", "libie-500k.so: cannot allocate memory in static TLS block"));
  return check_status();
}
