// Copies of a library with thread-local objects are opened and closed in a random order, 400 times,
// while threads use all that are there: each thread has fresh objects of each opening.
#include "../check.h"
#include <pthread.h>

enum { kModules = 40, kThreads = 4, kRounds = 400 };

struct module {
  void* handle;
  int (*increment)(void);
  int opening;
};
static struct module modules[kModules];
static pthread_barrier_t barrier;
static int over, wrong;

struct memory {
  int opening[kModules], count[kModules];
};

static void use_all(struct memory* m) {
  for (int i = 0; i < kModules; ++i) {
    if (modules[i].increment == NULL) continue;
    if (m->opening[i] != modules[i].opening) m->count[i] = 100;
    m->opening[i] = modules[i].opening;
    if (modules[i].increment() != ++m->count[i]) __atomic_add_fetch(&wrong, 1, __ATOMIC_RELAXED);
  }
}

static void* thread(void* unused) {
  (void)unused;
  struct memory memory = {{0}, {0}};
  for (;;) {
    pthread_barrier_wait(&barrier);
    if (over) return NULL;
    use_all(&memory);
    pthread_barrier_wait(&barrier);
  }
}

static void turn(struct module* m, int number) {
  if (m->handle != NULL) {
    if (dlclose(m->handle) != 0) give_up("dlclose: %s", dlerror());
    m->handle = NULL;
    m->increment = NULL;
    return;
  }
  char name[32];
  snprintf(name, sizeof name, "lib-%d.so", number);
  m->handle = must_open(in_scratch(name), RTLD_NOW);
  m->increment = (int (*)(void))must_find(m->handle, "increment");
  ++m->opening;
}

int main(void) {
  size_t size = read_file(beside_program("liblib.so"));
  for (int i = 0; i < kModules; ++i) {
    char name[32];
    snprintf(name, sizeof name, "lib-%d.so", i);
    write_file(in_scratch(name), file_bytes, size);
  }
  pthread_barrier_init(&barrier, NULL, kThreads + 1);
  pthread_t threads[kThreads];
  for (int i = 0; i < kThreads; ++i)
    if (pthread_create(&threads[i], NULL, thread, NULL) != 0) give_up("pthread_create");
  struct memory memory = {{0}, {0}};
  unsigned seed = 42;
  for (int round = 0; round < kRounds; ++round) {
    int i = rand_r(&seed) % kModules;
    turn(&modules[i], i);
    pthread_barrier_wait(&barrier);
    use_all(&memory);
    pthread_barrier_wait(&barrier);
  }
  over = 1;
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  printf("wrong objects: %d\n", wrong);
  return wrong != 0;
}
