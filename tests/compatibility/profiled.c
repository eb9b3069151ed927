#include <stdio.h>
#ifndef ROUNDS
#define ROUNDS 100
#endif
int caller(int n);
int main(void) {
  int sum = 0;
  for (int i = 0; i < ROUNDS; ++i) sum += caller(i);
  return printf("%d\n", sum) < 0;
}
