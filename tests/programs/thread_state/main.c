#define _GNU_SOURCE
#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>
#include <sys/rseq.h>
#include <sys/single_threaded.h>
#include <unistd.h>

static void examine(const char* who) {
  const struct rseq* area =
      (const struct rseq*)((const char*)__builtin_thread_pointer() + __rseq_offset);
  int cpu = (int)area->cpu_id;
  unsigned char random[2][32] = {{0}};
  for (int i = 0; i < 2; ++i)
    if (getrandom(random[i], sizeof random[i], 0) != sizeof random[i]) puts("getrandom fails");
  pthread_attr_t attributes;
  void* stack = NULL;
  size_t bytes = 0;
  pthread_getattr_np(pthread_self(), &attributes);
  pthread_attr_getstack(&attributes, &stack, &bytes);
  pthread_attr_destroy(&attributes);
  int is_on_stack = (char*)&bytes >= (char*)stack && (char*)&bytes < (char*)stack + bytes;
  errno = 0;
  close(-1);
  printf("%s: rseq %s, aligned %d, sched_getcpu works %d, on its stack %d, errno %d, isalpha %d, "
         "random differs %d\n",
         who,
         __rseq_offset == 0 ? "without an area"
         : cpu >= 0         ? "registered"
         : cpu == -2        ? "not registered"
                            : "uninitialised",
         (uintptr_t)area % 32 == 0, sched_getcpu() >= 0, is_on_stack, errno, isalpha('x') != 0,
         memcmp(random[0], random[1], sizeof random[0]) != 0);
}

static void* thread(void* who) {
  examine(who);
  return NULL;
}

int main(void) {
  printf("rseq size %u, flags %u; single threaded %d\n", __rseq_size, __rseq_flags,
         __libc_single_threaded);
  printf("hwcap %lx, hwcap2 %lx, smallest signal stack %ld\n", getauxval(AT_HWCAP),
         getauxval(AT_HWCAP2), sysconf(_SC_MINSIGSTKSZ));
  examine("main");
  for (int i = 0; i < 3; ++i) {  // the second and third have the first one's stack
    pthread_t t;
    pthread_create(&t, NULL, thread, "thread");
    pthread_join(t, NULL);
  }
  printf("single threaded %d\n", __libc_single_threaded);
  // What leak checkers call; NULL where the symbol is hidden.
  void (*freeres)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "__libc_freeres");
  puts(freeres != NULL ? "frees all" : "cannot free all");
  fflush(stdout);
  if (freeres != NULL) freeres();
  return 0;
}
