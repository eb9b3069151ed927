// Segments whose p_align is more than a page, and data that asks for it.
#include <stdint.h>

__attribute__((aligned(65536))) int initialised = 5;
__attribute__((aligned(ALIGN))) static char zeroed[ALIGN];
int lib_misaligned(void) {
  return (uintptr_t)&initialised % 65536 != 0 || (uintptr_t)zeroed % ALIGN != 0;
}
int lib_value(void) { return initialised + zeroed[ALIGN - 1]; }
