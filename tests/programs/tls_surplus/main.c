// libie-N.so are copies of one library with a kilobyte of initial-exec TLS each: they draw on the
// reserve that every thread's static TLS block has for modules that come late.
#include "../check.h"
#include <pthread.h>

enum { kCopies = 32 };

static void* handles[kCopies];
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

int main(void) {
  pthread_t early, late;
  void* wrong = NULL;
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_create(&early, NULL, early_thread, NULL);
  size_t size = read_file(beside_program("libie.so"));
  for (; opened < kCopies; ++opened) {
    char name[32];
    snprintf(name, sizeof name, "libie-%d.so", opened);
    write_file(in_scratch(name), file_bytes, size);
    handles[opened] = dlopen(in_scratch(name), RTLD_NOW);
    if (handles[opened] == NULL) break;
  }
  printf("%d modules with 1 KiB of static TLS each: %s\n", kCopies,
         opened == kCopies ? "ok" : "not so many");
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
    for (int i = 0; i < opened; ++i) EXPECT(dlclose(handles[i]) == 0);
    for (int i = 0; i < opened; ++i) {
      char name[32];
      snprintf(name, sizeof name, "libie-%d.so", i);
      handles[i] = dlopen(in_scratch(name), RTLD_NOW);
      EXPECT(handles[i] != NULL);
    }
    EXPECT(use_all(NULL) == NULL);
  }
  return check_status();
}
