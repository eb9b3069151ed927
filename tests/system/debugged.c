#include <stdio.h>

#ifdef LIBRARY
int library_function(int depth);
#else
static int library_function(int depth) { return depth + 1; }
#endif

int main(void) {
  int total = 0;
  for (int i = 0; i < 3; i++) total += library_function(i);
  printf("total %d\n", total);
  return total;
}
