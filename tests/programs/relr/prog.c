#include "table.h"
#include <stdio.h>
int by_bfd(void);
int by_lld(void);
int by_mold(void);
int main(void) {
  printf("bfd: %d right, lld: %d right, mold: %d right, ", by_bfd(), by_lld(), by_mold());
  printf("the program: %d right\n", count_right());
}
