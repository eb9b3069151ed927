#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

enum { kThreads = 4, kPlugins = 3 };
static pthread_barrier_t opened, used;
static int (*next[kPlugins])(void);
static int seen[kThreads][kPlugins][2];

static void* in_thread(void* argument) {
  int me = (int)(long)argument;
  pthread_barrier_wait(&opened);  // the plugins are opened after all threads have started
  for (int round = 0; round < 2; round++)
    for (int i = 0; i < kPlugins; i++) seen[me][i][round] = next[i]();
  pthread_barrier_wait(&used);
  return NULL;
}

int main(void) {
  pthread_t threads[kThreads];
  pthread_barrier_init(&opened, NULL, kThreads + 1);
  pthread_barrier_init(&used, NULL, kThreads + 1);
  for (long i = 0; i < kThreads; i++) pthread_create(&threads[i], NULL, in_thread, (void*)i);
  for (int i = 0; i < kPlugins; i++) {
    char name[32];
    sprintf(name, "./libplugin%d.so", i);
    void* handle = dlopen(name, RTLD_NOW);
    if (!handle) return puts(dlerror()), 1;
    next[i] = (int (*)(void))dlsym(handle, "next");
  }
  pthread_barrier_wait(&opened);
  pthread_barrier_wait(&used);
  for (int i = 0; i < kThreads; i++) pthread_join(threads[i], NULL);
  for (int t = 0; t < kThreads; t++)
    for (int i = 0; i < kPlugins; i++)
      printf("thread %d plugin %d: %d %d\n", t, i, seen[t][i][0], seen[t][i][1]);
  printf("main: %d %d %d\n", next[0](), next[1](), next[2]());
}
