#include "../check.h"
#include <pthread.h>

static void* handle;

static void* thread_view(void* unused) {
  (void)unused;
  int* mine = (int*)must_find(handle, "per_thread");
  if (*mine != 5) return NULL;  // the initial value, whatever main wrote
  *mine = 200;
  return call_int(handle, "read_per_thread") == 200 ? mine : NULL;
}

int main(void) {
  handle = must_open("libgnu.so", RTLD_NOW);
  CHECK("S37 an indirect function gives what its resolver chose") {
    int (*chosen)(void) = (int (*)(void))must_find(handle, "indirect");
    EXPECT(chosen() == 11);
    EXPECT((void*)chosen == dlsym(handle, "first_choice"));
    EXPECT(call_int(handle, "call_indirect") == 11);
  }
  CHECK("S37 a thread-local symbol gives the calling thread's object") {
    int* mine = (int*)must_find(handle, "per_thread");
    EXPECT(*mine == 5);
    *mine = 100;
    EXPECT(call_int(handle, "read_per_thread") == 100);
    pthread_t thread;
    void* theirs = NULL;
    EXPECT(pthread_create(&thread, NULL, thread_view, NULL) == 0);
    EXPECT(pthread_join(thread, &theirs) == 0);
    EXPECT(theirs != NULL && theirs != mine);
    EXPECT(*mine == 100);
    EXPECT(dlsym(handle, "per_thread") == mine);
  }
  return check_status();
}
