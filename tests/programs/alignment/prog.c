#include <stdint.h>
#include <stdio.h>

__attribute__((aligned(ALIGN))) static int own = 6;
static char zeroed[ALIGN] __attribute__((aligned(ALIGN)));
int lib_misaligned(void);
int lib_value(void);

int main(void) {
  printf("misaligned %d %d %d, values %d %d %d\n", lib_misaligned(), (uintptr_t)&own % ALIGN != 0,
         (uintptr_t)zeroed % ALIGN != 0, lib_value(), own, zeroed[ALIGN - 1]);
}
