// A program that looks for leaks opens a library: what the library's globals and thread-local
// objects point to is no leak, what it lost is one.
#include "../check.h"
#include <pthread.h>

static void keep(void* unused) {
  (void)unused;
  void* handle = must_open(beside_program(LIBRARY), RTLD_LAZY);
  call_int(handle, "keep_in_global");
  call_int(handle, "keep_in_thread_local");
  exit(0);
}

static void* lose_in_thread(void* handle) {
  call_int(handle, "lose");
  return NULL;
}

// In a thread, whose stack with what is left of the pointer on it is gone when leaks are looked
// for.
static void lose(void* unused) {
  (void)unused;
  void* handle = must_open(beside_program(LIBRARY), RTLD_LAZY);
  call_int(handle, "keep_in_global");
  pthread_t thread;
  pthread_create(&thread, NULL, lose_in_thread, handle);
  pthread_join(thread, NULL);
  exit(0);
}

// What a library lost is lost as well when the library is gone.
static void lose_and_close(void* unused) {
  (void)unused;
  void* handle = must_open(beside_program(LIBRARY), RTLD_LAZY);
  pthread_t thread;
  pthread_create(&thread, NULL, lose_in_thread, handle);
  pthread_join(thread, NULL);
  if (dlclose(handle) != 0 || module_loaded(LIBRARY)) _exit(1);
  exit(0);
}

// And what only its own objects pointed to is lost with them.
static void keep_and_close(void* unused) {
  (void)unused;
  void* handle = must_open(beside_program(LIBRARY), RTLD_LAZY);
  call_int(handle, "keep_in_global");
  if (dlclose(handle) != 0 || module_loaded(LIBRARY)) _exit(1);
  exit(0);
}

static void open_and_close(void* unused) {
  (void)unused;
  for (int i = 0; i < 10; ++i) {
    void* handle = must_open(beside_program(LIBRARY), RTLD_LAZY);
    if (dlsym(handle, "no_such_symbol") != NULL || dlerror() == NULL) _exit(1);
    if (dlopen("no-such-file.so", RTLD_LAZY) != NULL || dlclose(handle) != 0) _exit(1);
  }
  exit(0);
}

static char output[1 << 16];
static int status_of(void (*body)(void*)) {
  int status = in_child(body, NULL, output, sizeof output);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(void) {
  CHECK("what is kept is no leak") { EXPECT(status_of(keep) == 0 && output[0] == 0); }
  CHECK("the family itself leaks nothing") {
    EXPECT(status_of(open_and_close) == 0 && output[0] == 0);
  }
  CHECK("what is lost is a leak") {
    EXPECT(status_of(lose) == 23);
    EXPECT(strstr(output, "detected memory leaks") != NULL);
    EXPECT(strstr(output, "4321 byte(s)") != NULL);
    EXPECT(strstr(output, LIBRARY "+0x") != NULL);
    if (check_failed_here_) printf("%s\n", output);
  }
  CHECK("what a library lost that is closed is a leak") {
    EXPECT(status_of(lose_and_close) == 23);
    EXPECT(strstr(output, "4321 byte(s)") != NULL);
    if (check_failed_here_) printf("%s\n", output);
  }
  CHECK("what its objects pointed to is one when it is closed") {
    EXPECT(status_of(keep_and_close) == 23);
    EXPECT(strstr(output, "1234 byte(s)") != NULL);
    if (check_failed_here_) printf("%s\n", output);
  }
  return check_status();
}
