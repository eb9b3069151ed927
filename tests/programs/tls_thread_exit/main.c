// Thousands of threads come and go, each of which uses the TLS of opened modules: the process does
// not grow, and every thread finds fresh objects.
#include "../check.h"
#include <pthread.h>

enum { kLibraries = 3 };
static int (*increment[kLibraries])(void);

static void* use(void* unused) {
  (void)unused;
  intptr_t wrong = 0;
  for (int i = 0; i < kLibraries; ++i) wrong += increment[i]() != 1;
  for (int i = 0; i < kLibraries; ++i) wrong += increment[i]() != 2;
  return (void*)wrong;
}

static long resident_pages(void) {
  char text[128] = "";
  long total, resident;
  int fd = open("/proc/self/statm", O_RDONLY);
  if (read(fd, text, sizeof text - 1) <= 0 || sscanf(text, "%ld %ld", &total, &resident) != 2)
    give_up("statm");
  close(fd);
  return resident;
}

static int wrong;
static void threads_come_and_go(int rounds) {
  for (int i = 0; i < rounds; ++i) {
    pthread_t threads[4];
    void* result = NULL;
    for (int k = 0; k < 4; ++k) pthread_create(&threads[k], NULL, use, NULL);
    for (int k = 0; k < 4; ++k) pthread_join(threads[k], &result), wrong += result != NULL;
  }
}

int main(void) {
  void* handles[kLibraries];
  size_t size = read_file(beside_program("libtls.so"));
  for (int i = 0; i < kLibraries; ++i) {
    char name[16];
    snprintf(name, sizeof name, "lib%d.so", i);
    write_file(in_scratch(name), file_bytes, size);
    handles[i] = must_open(in_scratch(name), RTLD_NOW);
    increment[i] = (int (*)(void))must_find(handles[i], "increment");
  }
  threads_come_and_go(100);
  long before = resident_pages();
  threads_come_and_go(500);
  long after = resident_pages();
  CHECK("every thread has fresh objects") { EXPECT(wrong == 0); }
  // Each thread uses about 75 pages of TLS.
  CHECK("a thread's blocks are given back at its end") { EXPECT(after - before < 600); }
  if (check_failed_here_) printf("  from %ld to %ld pages\n", before, after);
  for (int i = 0; i < kLibraries; ++i)
    if (dlclose(handles[i]) != 0) give_up("dlclose");
  return check_status();
}
