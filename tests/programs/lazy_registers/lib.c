// With AS_IFUNC, `probe` is an IFUNC whose resolver spoils every vector register it can.
#include "layout.h"

unsigned char found[BUFFER_SIZE];

#if defined(AS_IFUNC)
int real_probe(void);
static int (*resolve(void))(void) {
#if defined(WITH_AVX)
  __asm__ volatile(
      ".irp n, 0, 1, 2, 3, 4, 5, 6, 7\n vpcmpeqd %%ymm\\n, %%ymm\\n, %%ymm\\n\n .endr" ::
          : "memory");
#else
  __asm__ volatile(".irp n, 0, 1, 2, 3, 4, 5, 6, 7\n pcmpeqd %%xmm\\n, %%xmm\\n\n .endr" ::
                       : "memory");
#endif
  return real_probe;
}
int probe(void) __attribute__((ifunc("resolve")));
#endif
