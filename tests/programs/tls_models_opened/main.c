// libgd.so, libld.so, libie.so and libdesc.so each have the same thread-local objects, reached in
// another way: general dynamic, local dynamic, initial exec, descriptors. Threads that ran before
// the library was opened use it, and threads that are made after.
#include "../check.h"
#include <pthread.h>

enum { kThreads = 4 };

static void* handle;
static pthread_barrier_t barrier, late_barrier;

// One thread's use of a library: its objects have their initial values, are this thread's own, and
// keep what is stored in them. Returns how often something was wrong.
static int use(int number, pthread_barrier_t* users) {
  int wrong = 0;
  int* (*initialised)(void) = (int* (*)(void))must_find(handle, "initialised_address");
  char* (*zero)(void) = (char* (*)(void))must_find(handle, "zero_address");
  long (*sum)(void) = (long (*)(void))must_find(handle, "sum");
  wrong += *initialised() != 1234;
  for (int i = 0; i < 5000; ++i) wrong += zero()[i] != 0;
  wrong += (uintptr_t)zero() % 64 != 0;
  wrong += call_int(handle, "call_through_initialised_pointer") != 77;
  *initialised() = number;
  memset(zero(), number, 5000);
  pthread_barrier_wait(users);  // everybody has written
  wrong += *initialised() != number;
  wrong += sum() != number + 5000l * number;
  // dlsym gives the same addresses.
  wrong += dlsym(handle, "initialised") != initialised();
  wrong += dlsym(handle, "zero") != zero();
  return wrong;
}

static void* early_thread(void* number) {
  intptr_t wrong = 0;
  for (int round = 0; round < 2; ++round) {
    pthread_barrier_wait(&barrier);  // the library has been opened
    wrong += use((int)(intptr_t)number, &barrier);
    pthread_barrier_wait(&barrier);  // and may be closed
  }
  return (void*)wrong;
}

static void* late_thread(void* number) {
  return (void*)(intptr_t)use((int)(intptr_t)number, &late_barrier);
}

static int try_library(const char* file) {
  pthread_t early[kThreads], late[kThreads];
  void* result;
  int wrong = 0;
  pthread_barrier_init(&barrier, NULL, kThreads + 1);
  pthread_barrier_init(&late_barrier, NULL, kThreads);
  for (intptr_t i = 0; i < kThreads; ++i)
    pthread_create(&early[i], NULL, early_thread, (void*)(i + 1));
  for (int round = 0; round < 2; ++round) {
    // The second time around it is another module, with fresh objects in every thread.
    handle = must_open(file, RTLD_NOW);
    pthread_barrier_wait(&barrier);
    wrong += use(50, &barrier);
    pthread_barrier_wait(&barrier);
    for (intptr_t i = 0; i < kThreads; ++i)
      pthread_create(&late[i], NULL, late_thread, (void*)(i + 10));
    wrong += call_int(handle, "read_initialised") != 50;
    for (int i = 0; i < kThreads; ++i)
      pthread_join(late[i], &result), wrong += (int)(intptr_t)result;
    if (dlclose(handle) != 0) ++wrong;
    if (module_loaded(file)) ++wrong;
  }
  for (int i = 0; i < kThreads; ++i)
    pthread_join(early[i], &result), wrong += (int)(intptr_t)result;
  pthread_barrier_destroy(&barrier);
  pthread_barrier_destroy(&late_barrier);
  return wrong;
}

int main(void) {
  CHECK("general dynamic") { EXPECT(try_library("libgd.so") == 0); }
  CHECK("local dynamic") { EXPECT(try_library("libld.so") == 0); }
  CHECK("descriptors") { EXPECT(try_library("libdesc.so") == 0); }
  CHECK("initial exec") {
    handle = must_open("libie.so", RTLD_NOW);
    EXPECT(*((int* (*)(void))must_find(handle, "small_address"))() == 4321);
    EXPECT(call_int(handle, "increment_small") == 4322);
    EXPECT(dlclose(handle) == 0 && !module_loaded("libie.so"));
  }
  return check_status();
}
