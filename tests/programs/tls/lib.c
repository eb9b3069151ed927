// A library's TLS, reached as its compiler flags say. `aligned` needs more than the natural
// alignment.
#include <stdint.h>

__thread int initialised = 100;
__thread int zeroed;
__thread char aligned[64] __attribute__((aligned(64))) = "aligned";
static __thread long hidden = 7;
extern __thread int program_tls;

int* lib_initialised(void) { return &initialised; }
int lib_sum(void) { return ++initialised + ++zeroed + (int)++hidden + program_tls; }
int lib_misaligned(void) { return (int)((uintptr_t)aligned % 64) + (aligned[0] != 'a'); }
