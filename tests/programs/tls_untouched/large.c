// A value that is not zero, and a quarter of a gigabyte behind it.
static __thread struct {
  int first;
  char rest[1 << 28];
} large = {.first = 0};
static __thread int set = 7;

int NAME(int at) { return set + large.first + large.rest[at]; }
