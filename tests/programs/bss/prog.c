#include <stdio.h>

extern int first;
int lib_dirty(void);
static char own[200 * 1024 * 1024];

int main(void) {
  int dirty = 0;
  for (unsigned i = 0; i < sizeof own; i += 1000) dirty += own[i] != 0;
  own[sizeof own - 1] = 1;
  printf("dirty bytes: program %d, library %d; data %d\n", dirty, lib_dirty(), first);
}
