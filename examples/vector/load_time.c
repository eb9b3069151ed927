// The library is linked with: the loader finds it, maps it and binds to it before main.
#include "vector.h"
#include <stdio.h>

int main(void) {
  int x[2] = {1, 2}, y[2] = {3, 4}, z[2];
  addvec(x, y, z, 2);
  printf("addvec:  z = [%d %d]\n", z[0], z[1]);
  multvec(x, y, z, 2);
  printf("multvec: z = [%d %d]\n", z[0], z[1]);
  printf("calls: %d and %d\n", addcnt, multcnt);
  return 0;
}
