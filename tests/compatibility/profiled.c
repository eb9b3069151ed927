#include <stdio.h>
int caller(int n);
int main(void) {
  int sum = 0;
  for (int i = 0; i < 100; ++i) sum += caller(i);
  return printf("%d\n", sum) < 0;
}
