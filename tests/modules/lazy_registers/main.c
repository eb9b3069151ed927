#include "../bare.h"
#include "registers.h"

extern struct registers seen;

static void fill(struct registers* r, unsigned char seed) {
  unsigned char* bytes = (unsigned char*)r;
  for (unsigned i = 0; i < sizeof *r; ++i) bytes[i] = (unsigned char)(i * 37 + i / 256 + seed);
  r->stack_is_aligned = 0;
}

static int kept(const struct registers* sent) {
  int same = bare_equal(sent->general, seen.general, kGeneralCount * 8);
  for (int i = 0; i < 8; ++i) same &= bare_equal(sent->vector[i], seen.vector[i], kVectorBytes);
  return same;
}

static void clear(void) {
  unsigned char* bytes = (unsigned char*)&seen;
  for (unsigned i = 0; i < sizeof seen; ++i) bytes[i] = 0;
}

int bare_main(long argc, char** argv) {
  (void)argc;
  (void)argv;
  struct registers sent;
  // The first call binds, the second finds the slot bound.
  for (unsigned char seed = 1; seed < 3; ++seed) {
    fill(&sent, seed);
    clear();
    call_with_registers(&sent, stub_record);
    CHECK(kept(&sent));
    CHECK(seen.stack_is_aligned);
    CHECK(sent.return_value == 0x1234);
  }
  for (unsigned char seed = 3; seed < 5; ++seed) {
    fill(&sent, seed);
    clear();
    call_with_registers(&sent, stub_record_indirect);
    CHECK(kept(&sent));
    CHECK(seen.stack_is_aligned);
    CHECK(sent.return_value == 0x1234);
  }
  return bare_failed;
}
