#include <stdio.h>

int call_normal(void);
int call_shielded(void);
int read_shielded_data(void);
int normal(void) { return 10; }
int shielded(void) { return 20; }
int shielded_data = 30;

int main(void) {
  printf("program %d %d %d\n", normal(), shielded(), shielded_data);
  printf("library %d %d %d\n", call_normal(), call_shielded(), read_shielded_data());
}
