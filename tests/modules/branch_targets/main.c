#include "../bare.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
void* JOIN(NAME, _code)(void);

#ifdef IN_PROGRAM
extern void no_landing_pad(void);
void* own_code(void) { return (void*)no_landing_pad; }
#endif

int bare_main(long argc, char** argv) {
  (void)argc;
  (void)argv;
  void (*volatile code)(void) = (void (*)(void))JOIN(NAME, _code)();
  bare_print("before\n");
  code();
  bare_print("after\n");
  return 0;
}
