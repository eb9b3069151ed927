#if defined(MODEL_IE)
#define TLS __attribute__((tls_model("initial-exec"))) __thread
#else
#define TLS __thread
#endif

#if defined(MODEL_IE)
// What initial exec takes comes out of a reserve, so it is small.
TLS int small = 4321;
int* small_address(void) { return &small; }
int increment_small(void) { return ++small; }
#else
static int seventy_seven(void) { return 77; }
TLS int initialised = 1234;
TLS char zero[5000] __attribute__((aligned(64)));
// An initialiser that takes a relocation.
TLS int (*pointer)(void) = seventy_seven;

int* initialised_address(void) { return &initialised; }
char* zero_address(void) { return zero; }
int read_initialised(void) { return initialised; }
int call_through_initialised_pointer(void) { return pointer(); }
long sum(void) {
  long total = initialised;
  for (int i = 0; i < 5000; ++i) total += zero[i];
  return total;
}
#endif
