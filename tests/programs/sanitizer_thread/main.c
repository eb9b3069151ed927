// An instrumented program opens an instrumented library and uses it from threads; a race there is
// reported.
#include "../check.h"
#include <pthread.h>

static void* run(void* function) {
  ((int (*)(void))function)();
  return NULL;
}

static void two_threads(void* handle, const char* name) {
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, run, must_find(handle, name));
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
}

static void do_wrong(void* name) {
  two_threads(must_open(beside_program(LIBRARY), RTLD_LAZY), (const char*)name);
  exit(0);
}

// One after the other: to the sanitizer, which sees glibc's loader allocate but not lock, threads
// that open modules at once race with each other.
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static int open_and_close_once(void) {
  pthread_mutex_lock(&mutex);
  void* handle = dlopen(beside_program(LIBRARY), RTLD_LAZY);
  int good = handle != NULL && call_int(handle, "own") == 1 && dlclose(handle) == 0;
  pthread_mutex_unlock(&mutex);
  return good;
}

static void* open_and_close(void* wrong) {
  for (int i = 0; i < 50; ++i)
    if (!open_and_close_once()) return wrong;
  return NULL;
}

int main(void) {
  static char output[1 << 16];
  CHECK("what is right") {
    void* handle = must_open(beside_program(LIBRARY), RTLD_LAZY);
    two_threads(handle, "right");
    EXPECT(call_int(handle, "counter_value") == 20000);
    EXPECT(dlclose(handle) == 0);
  }
  CHECK("the family itself, from threads") {
    pthread_t threads[4];
    void* result = NULL;
    for (int i = 0; i < 4; ++i) pthread_create(&threads[i], NULL, open_and_close, &output);
    for (int i = 0; i < 4; ++i) {
      pthread_join(threads[i], &result);
      EXPECT(result == NULL);
    }
  }
  CHECK("a race") {
    int status = in_child(do_wrong, (void*)"race", output, sizeof output);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 23);
    EXPECT(strstr(output, "ThreadSanitizer: data race") != NULL);
    EXPECT(strstr(output, LIBRARY "+0x") != NULL);
    if (check_failed_here_) printf("%s\n", output);
  }
  return check_status();
}
