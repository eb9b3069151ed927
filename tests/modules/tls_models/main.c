#include "../bare.h"

#define MODEL(name) __attribute__((tls_model(name)))
static _Thread_local int own = 21;
_Thread_local _Alignas(128) int own_aligned MODEL("local-exec") = 22;
_Thread_local int own_zero;
extern _Thread_local int a_number MODEL("initial-exec");
extern _Thread_local short b_number;

int* a_number_here(void);
int* a_number_seen_by_b(void);
long a_locals(void);
int* a_initial_exec_here(void);
int* a_initial_exec_seen_by_b(void);
char* a_aligned_here(void);
char* a_zero_here(void);
short* b_number_here(void);

static int misaligned(const void* p, unsigned long align) {
  return ((unsigned long)p & (align - 1)) != 0;
}

int bare_main(long argc, char** argv) {
  (void)argc;
  (void)argv;
  CHECK(own == 21 && own_zero == 0 && own_aligned == 22);
  CHECK(!misaligned(&own_aligned, 128));
  CHECK(a_number == 31 && *a_number_here() == 31);
  CHECK(&a_number == a_number_here() && &a_number == a_number_seen_by_b());
  a_number = 32;
  CHECK(*a_number_seen_by_b() == 32);
  CHECK(a_locals() == 3334);
  CHECK(*a_initial_exec_here() == 35 && a_initial_exec_here() == a_initial_exec_seen_by_b());
  CHECK(bare_equal(a_aligned_here(), "aligned", 8) && !misaligned(a_aligned_here(), 256));
  CHECK(a_zero_here()[0] == 0 && a_zero_here()[999] == 0);
  CHECK(b_number == 41 && &b_number == b_number_here());
  // Writing to the end of each block disturbs no other.
  for (int i = 0; i < 1000; ++i) a_zero_here()[i] = (char)0xff;
  own_zero = -1;
  *b_number_here() = -1;
  CHECK(own == 21 && own_aligned == 22 && a_number == 32 && a_locals() == 3334);
  CHECK(*a_initial_exec_here() == 35 && bare_equal(a_aligned_here(), "aligned", 8));
  return bare_failed;
}
