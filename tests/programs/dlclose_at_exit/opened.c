#include <stdio.h>

int opened_value(void) { return 42; }

__attribute__((destructor)) static void end(void) {
  printf("opened's destructor: %d\n", opened_value());
}
