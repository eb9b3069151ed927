#include "../check.h"
#include "registers.h"
#include <pthread.h>

static void fill(struct registers* r, unsigned seed) {
  unsigned char* bytes = (unsigned char*)r;
  for (unsigned i = 0; i < sizeof *r; ++i) bytes[i] = (unsigned char)(i * 41 + i / 256 + seed);
}

#ifdef LINKED
#define FUNCTION(name) name
#else
static void* library;
#define FUNCTION(name) ((__typeof__(&name))must_find(library, #name))
#endif

static void* checks(void* which) {
  static struct registers in, out;
  // What is not a register of this ISA stays as `out` was.
  fill(&in, 1);
  out = in;
  unsigned long offset = FUNCTION(described_offset)(&in, &out);
  char* tp = __builtin_thread_pointer();
  CHECK((const char*)which) {
    EXPECT((int*)(tp + offset) == FUNCTION(described_here)());
    EXPECT(*(int*)(tp + offset) == 51);
    EXPECT(memcmp(in.general, out.general, sizeof in.general) == 0);
    EXPECT(memcmp(in.vector, out.vector, sizeof in.vector) == 0);
    EXPECT(tp + FUNCTION(undefined_offset)() == NULL);
  }
  return NULL;
}

int main(void) {
#ifndef LINKED
  library = must_open("libdescribed.so", RTLD_NOW);
#endif
  checks("first thread");
  pthread_t thread;
  if (pthread_create(&thread, NULL, checks, "second thread") != 0) give_up("pthread_create");
  pthread_join(thread, NULL);
  return check_status();
}
