// libie-N.so are copies of one library with a kilobyte of initial-exec TLS each: they draw on the
// reserve that every thread's static TLS block has for modules that come late.
#include "../check.h"
#include <pthread.h>

enum { kMost = 32 };

static void* handles[kMost];
static int opened;

// Each copy's object has its initial value in this thread; then it gets another.
static void* use_all(void* unused) {
  (void)unused;
  intptr_t wrong = 0;
  for (int i = 0; i < opened; ++i) wrong += call_int(handles[i], "increment") != 6;
  for (int i = 0; i < opened; ++i) wrong += call_int(handles[i], "increment") != 7;
  return (void*)wrong;
}

static pthread_barrier_t barrier;
static void* early_thread(void* unused) {
  pthread_barrier_wait(&barrier);
  return use_all(unused);
}

int main(int argc, char** argv) {
  int copies = argc > 1 ? atoi(argv[1]) : 4;
  pthread_t early, late;
  void* wrong = NULL;
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_create(&early, NULL, early_thread, NULL);
  size_t size = read_file(beside_program("libie.so"));
  for (; opened < copies && opened < kMost; ++opened) {
    char name[32];
    snprintf(name, sizeof name, "libie-%d.so", opened);
    write_file(in_scratch(name), file_bytes, size);
    handles[opened] = dlopen(in_scratch(name), RTLD_NOW);
    if (handles[opened] == NULL) break;
  }
  printf("%d modules with 1 KiB of static TLS each: %s\n", copies,
         opened == copies ? "ok" : "not so many");
  CHECK("what does not fit is refused by name, and what fits works in every thread") {
    void* handle = dlopen("libie-huge.so", RTLD_NOW);
    EXPECT(handle == NULL);
    EXPECT(error_names("libie-huge.so: cannot allocate memory in static TLS block"));
    EXPECT(!module_loaded("libie-huge.so"));
    EXPECT(opened >= 1);
    EXPECT(use_all(NULL) == NULL);
    pthread_barrier_wait(&barrier);
    pthread_join(early, &wrong);
    EXPECT(wrong == NULL);
    pthread_create(&late, NULL, use_all, NULL);
    pthread_join(late, &wrong);
    EXPECT(wrong == NULL);
  }
  CHECK("what is closed can be opened again") {
    for (int i = opened; i-- > 0;) EXPECT(dlclose(handles[i]) == 0);
    for (int i = 0; i < opened; ++i) {
      char name[32];
      snprintf(name, sizeof name, "libie-%d.so", i);
      handles[i] = dlopen(in_scratch(name), RTLD_NOW);
      EXPECT(handles[i] != NULL);
    }
    EXPECT(use_all(NULL) == NULL);
  }
  for (int i = 0; i < opened; ++i) dlclose(handles[i]);
  // As a program does that replaces a plugin: the next one is opened before the last is closed.
  void* last = NULL;
  int round = 0;
  size = read_file(beside_program("libie-small.so"));
  for (; round < 100; ++round) {
    const char* name = in_scratch(round % 2 ? "libodd.so" : "libeven.so");
    if (round < 2) write_file(name, file_bytes, size);
    void* next = dlopen(name, RTLD_NOW);
    if (next == NULL || call_int(next, "increment") != 6) break;
    if (last != NULL) dlclose(last);
    last = next;
  }
  printf("100 modules with 300 bytes, two at a time: %s\n", round == 100 ? "ok" : "runs out");
  return check_status();
}
