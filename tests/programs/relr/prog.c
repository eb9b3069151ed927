#include "table.h"
#include <stdio.h>
int by_bfd(void);
int by_lld(void);
int by_mold(void);
int main(void) {
#ifdef BFD
  printf("bfd: %d right, ", by_bfd());
#endif
#ifdef LLD
  printf("lld: %d right, ", by_lld());
#endif
  printf("mold: %d right, the program: %d right\n", by_mold(), count_right());
}
