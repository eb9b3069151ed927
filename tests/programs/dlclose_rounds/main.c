// Opens and closes modules for a number of rounds (the argument) and looks whether the process
// grows. Each round has a module with a dependency, one with TLS that is used, one that binds to a
// global one, one that fails to load, and a thread that lives through it all.
#include "../check.h"
#include <pthread.h>

struct size {
  long pages, resident;
  int mappings, modules;
  size_t tls_module_id;
};

static int count_step(struct dl_phdr_info* info, size_t size, void* data) {
  (void)info, (void)size;
  ++*(int*)data;
  return 0;
}

static struct size measure(void) {
  static char text[1 << 16];
  struct size size = {0};
  int fd = open("/proc/self/statm", O_RDONLY);
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) give_up("statm");
  text[length] = 0;
  if (sscanf(text, "%ld %ld", &size.pages, &size.resident) != 2) give_up("statm");
  fd = open("/proc/self/maps", O_RDONLY);
  while ((length = read(fd, text, sizeof text)) > 0)
    for (ssize_t i = 0; i < length; ++i) size.mappings += text[i] == '\n';
  close(fd);
  dl_iterate_phdr(count_step, &size.modules);
  void* tls = must_open("libtls.so", RTLD_NOW);
  if (dlinfo(tls, RTLD_DI_TLS_MODID, &size.tls_module_id) != 0) give_up("RTLD_DI_TLS_MODID");
  dlclose(tls);
  return size;
}

// The other thread uses the TLS of the module of each round.
static pthread_barrier_t barrier;
static int (*volatile in_thread)(void);
static int wrong;

static void* live_through_it(void* unused) {
  (void)unused;
  for (;;) {
    pthread_barrier_wait(&barrier);
    if (in_thread == NULL) return NULL;
    if (in_thread() != 1) ++wrong;  // a fresh object each time: its first increment
    pthread_barrier_wait(&barrier);
  }
}

static void round_of_all(int with_thread) {
  void* parent = must_open("libparent.so", RTLD_NOW);
  if (call_int(parent, "parent") != 9) ++wrong;
  void* tls = must_open("libtls.so", RTLD_NOW);
  int (*increment)(void) = (int (*)(void))must_find(tls, "increment");
  if (increment() != 1) ++wrong;
  if (with_thread) {
    in_thread = increment;
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
  }
  void* provider = must_open("libprovider.so", RTLD_NOW | RTLD_GLOBAL);
  void* user = must_open("libuser.so", RTLD_LAZY);
  if (call_int(user, "use_provided") != 4 || dlclose(provider) != 0) ++wrong;
  if (call_int(user, "use_provided") != 4) ++wrong;
  if (dlopen("libmissing-dependency.so", RTLD_NOW) != NULL || dlerror() == NULL) ++wrong;
  if (dlsym(tls, "no_such_symbol") != NULL || dlerror() == NULL) ++wrong;
  if (dlclose(user) != 0 || dlclose(tls) != 0 || dlclose(parent) != 0) ++wrong;
}

int main(int argc, char** argv) {
  int rounds = argc > 1 ? atoi(argv[1]) : 1000;
  pthread_t thread;
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_create(&thread, NULL, live_through_it, NULL);
  for (int i = 0; i < 200; ++i) round_of_all(1);  // until everything that is kept has been made

  struct size before = measure();
  for (int i = 0; i < rounds; ++i) round_of_all(i % 16 == 0);
  struct size after = measure();

  CHECK("every round did what it should") { EXPECT(wrong == 0); }
  CHECK("no mapping, no module and no TLS module ID is left behind") {
    EXPECT(after.mappings == before.mappings);
    EXPECT(after.modules == before.modules);
    EXPECT(after.tls_module_id == before.tls_module_id);
  }
  CHECK("the process does not grow") {
    EXPECT(after.pages - before.pages <= 8);
    EXPECT(after.resident - before.resident <= 64);
  }
  in_thread = NULL;
  pthread_barrier_wait(&barrier);
  pthread_join(thread, NULL);
  return check_status();
}
