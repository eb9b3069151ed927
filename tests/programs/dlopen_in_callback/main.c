#include "../check.h"
#include <pthread.h>

// A callback of dl_iterate_phdr that uses the family, once per walk.
struct walk {
  void* handle;
  int calls, nested, done;
};

static int open_inside(struct dl_phdr_info* info, size_t size, void* data) {
  (void)info, (void)size;
  struct walk* walk = (struct walk*)data;
  ++walk->calls;
  if (walk->done) return 0;
  walk->done = 1;
  walk->handle = dlopen("libopened.so", RTLD_NOW);
  walk->nested = module_count("libopened.so");
  return 0;
}

static int close_inside(struct dl_phdr_info* info, size_t size, void* data) {
  (void)size;
  struct walk* walk = (struct walk*)data;
  ++walk->calls;
  if (!walk->done && info->dlpi_name[0] == 0) {
    walk->done = 1;
    Dl_info where;
    if (dlsym(walk->handle, "answer") == NULL || dladdr((void*)open_inside, &where) == 0) return 1;
    if (dlclose(walk->handle) != 0) return 1;
    walk->nested = module_count("libopened.so");
  }
  return 0;
}

static pthread_barrier_t barrier;
static int count_all(struct dl_phdr_info* info, size_t size, void* data) {
  (void)info, (void)size;
  ++*(int*)data;
  return 0;
}

// Another thread walks while this one's callback is running.
static void* walk_too(void* count) {
  pthread_barrier_wait(&barrier);
  dl_iterate_phdr(count_all, count);
  return NULL;
}

static int open_while_others_walk(struct dl_phdr_info* info, size_t size, void* data) {
  struct walk* walk = (struct walk*)data;
  if (!walk->done) pthread_barrier_wait(&barrier);
  return open_inside(info, size, data);
}

int main(void) {
  CHECK("a callback opens a module") {
    struct walk walk = {0};
    EXPECT(dl_iterate_phdr(open_inside, &walk) == 0);
    EXPECT(walk.handle != NULL && call_int(walk.handle, "answer") == 4);
    EXPECT(walk.nested == 1);
    EXPECT(module_count("libopened.so") == 1);
    dlclose(walk.handle);
  }
  CHECK("a callback looks up, and closes a module") {
    struct walk walk = {.handle = must_open("libopened.so", RTLD_NOW)};
    EXPECT(dl_iterate_phdr(close_inside, &walk) == 0);
    EXPECT(walk.nested == 0);
    EXPECT(!module_loaded("libopened.so"));
  }
  CHECK("a callback opens a module while another thread walks") {
    pthread_t thread;
    struct walk walk = {0};
    int count = 0;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, walk_too, &count);
    EXPECT(dl_iterate_phdr(open_while_others_walk, &walk) == 0);
    pthread_join(thread, NULL);
    EXPECT(walk.handle != NULL && walk.nested == 1);
    EXPECT(count == walk.calls || count == walk.calls + 1 || count == walk.calls - 1);
  }
  return check_status();
}
