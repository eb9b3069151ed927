#include "../check.h"

#include "../../../include/myld.h"
#include "registers.h"
#include <pthread.h>
#include <sys/auxv.h>

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

// Whether each thread accesses its block before its registers are looked at: the first access is
// where glibc up to 2.39 changes vector registers.
static int accessed_before, forgotten;

static void* checks(void* which) {
  if (accessed_before && !forgotten) FUNCTION(described_here)();
  static struct registers in, out;
  // What is not a register of this ISA stays as `out` was.
  fill(&in, 1);
  out = in;
  int extended = 0;
#ifdef __riscv
  extended = (getauxval(AT_HWCAP) >> ('v' - 'a') & 1) != 0;
#endif
  unsigned long offset = FUNCTION(described_offset)(&in, &out, extended);
  char* tp = __builtin_thread_pointer();
  CHECK((const char*)which) {
    EXPECT((int*)(tp + offset) == FUNCTION(described_here)());
    EXPECT(*(int*)(tp + offset) == 51);
    EXPECT(memcmp(in.general, out.general, sizeof in.general) == 0);
    EXPECT(memcmp(in.vector, out.vector, sizeof in.vector) == 0);
    EXPECT(memcmp(in.extension, out.extension, sizeof in.extension) == 0);
    EXPECT(tp + FUNCTION(undefined_offset)() == NULL);
  }
  return NULL;
}

#ifndef LINKED
// Makes the thread's own vector say that it has no block of the library yet, as that of a thread
// does which was made while the library was being opened: entries of two words, ~0 for "none".
static void forget_block(void) {
  size_t id = 0;
  if (dlinfo(library, RTLD_DI_TLS_MODID, &id) != 0) give_up("RTLD_DI_TLS_MODID: %s", dlerror());
  const long* from_tp = must_find(library, "dtv_from_thread_pointer");
  unsigned long* dtv = *(unsigned long**)((char*)__builtin_thread_pointer() + *from_tp);
  dtv[2 * id] = ~0ul;
}
#endif

int main(int argc, char** argv) {
  (void)argv;
  accessed_before = argc > 1;
#ifndef LINKED
  library = must_open("libdescribed.so", RTLD_NOW);
#endif
  checks("first thread");
#ifndef LINKED
  if (!accessed_before || myld_version != NULL) {
    forget_block();
    forgotten = 1;
    checks("a block that is not there yet");
    forgotten = 0;
  }
#endif
  pthread_t thread;
  if (pthread_create(&thread, NULL, checks, "second thread") != 0) give_up("pthread_create");
  pthread_join(thread, NULL);
  return check_status();
}
