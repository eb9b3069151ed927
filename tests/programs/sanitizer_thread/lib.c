#include <pthread.h>
static int counter;
static __thread int per_thread;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

int own(void) {
  per_thread = 0;
  return ++per_thread;
}
int counter_value(void) { return counter; }
int right(void) {
  for (int i = 0; i < 10000; ++i) {
    pthread_mutex_lock(&mutex);
    ++counter;
    pthread_mutex_unlock(&mutex);
  }
  return 0;
}
int race(void) {
  for (int i = 0; i < 10000; ++i) ++*(volatile int*)&counter;
  return 0;
}
