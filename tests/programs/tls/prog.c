#include <pthread.h>
#include <stdio.h>

__thread int program_tls = 1000;
extern __thread int initialised;  // initial exec
int* lib_initialised(void);
int lib_sum(void);
int lib_misaligned(void);

static void* in_thread(void* argument) {
  int first = lib_sum();
  program_tls += *(int*)argument;
  int second = lib_sum();
  printf("thread %d: %d %d, one address %d, misaligned %d\n", *(int*)argument, first, second,
         lib_initialised() == &initialised, lib_misaligned());
  return NULL;
}

int main(void) {
  in_thread(&(int){1});
  for (int i = 2; i < 12; i++) {
    pthread_t thread;
    pthread_create(&thread, NULL, in_thread, &i);
    pthread_join(thread, NULL);
  }
  in_thread(&(int){12});
}
