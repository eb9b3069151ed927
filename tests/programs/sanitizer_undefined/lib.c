#include <limits.h>
static volatile int big = INT_MAX, forty = 40, ten = 10;
static int table[10] = {3};
int right(void) { return table[ten - 10]; }
int overflow(void) { return big + 1; }
int out_of_bounds(void) { return table[ten]; }
int shift(void) { return 1 << forty; }
