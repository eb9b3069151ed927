// fork with threads and lazily bound functions about, exec of ourselves, and many quick threads.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static __thread int mine;
static void* spin(void* total) {
  for (int i = 0; i < 100; i++) mine++;
  __atomic_add_fetch((int*)total, mine, __ATOMIC_SEQ_CST);
  return NULL;
}

int main(int argc, char** argv) {
  if (argc > 1) return printf("executed with %s\n", argv[1]), 9;
  int total = 0, status = 0;
  pthread_t threads[50];
  for (int round = 0; round < 4; round++) {
    for (int i = 0; i < 50; i++) pthread_create(&threads[i], NULL, spin, &total);
    if (round == 2) {
      fflush(stdout);
      pid_t child = fork();
      if (child == 0) {
        pthread_t thread;
        int own = 0;
        pthread_create(&thread, NULL, spin, &own);
        pthread_join(thread, NULL);
        printf("child: %d\n", own);
        exit(5);
      }
      waitpid(child, &status, 0);
    }
    for (int i = 0; i < 50; i++) pthread_join(threads[i], NULL);
  }
  printf("total %d, child's status %d\n", total, WEXITSTATUS(status));
  fflush(stdout);
  execl(argv[0], argv[0], "an argument", NULL);
  return 1;
}
