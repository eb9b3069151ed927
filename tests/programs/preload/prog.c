#include <stdio.h>
#include <stdlib.h>

int value(void);
int value_from_inside(void);

int main(void) {
  puts("text");
  printf("%d %d LD_PRELOAD=%s\n", value(), value_from_inside(), getenv("LD_PRELOAD"));
}
