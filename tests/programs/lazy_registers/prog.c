#include "layout.h"
#include <stdio.h>
#include <string.h>

int call_with_full_registers(const unsigned char* values);
extern unsigned char found[BUFFER_SIZE];

#if defined(WITH_AVX512)
static const int vectors[] = {0, 1, 2, 3, 4, 5, 6, 7, 16, 31};
enum { kCount = 10, kBytes = 64 };
#elif defined(WITH_AVX)
static const int vectors[] = {0, 1, 2, 3, 4, 5, 6, 7};
enum { kCount = 8, kBytes = 32 };
#else
static const int vectors[] = {0, 1, 2, 3, 4, 5, 6, 7};
enum { kCount = 8, kBytes = 16 };
#endif

int main(void) {
  unsigned char values[BUFFER_SIZE];
  for (int i = 0; i < BUFFER_SIZE; i++) values[i] = (unsigned char)(i * 37 + i / 256 + 1);
  for (int call = 0; call < 2; call++) {
    memset(found, 0, sizeof found);
    printf("call %d: stack aligned %d\n", call, call_with_full_registers(values));
    for (int i = 0; i < 7; i++)
      if (memcmp(found + 8 * i, values + 8 * i, 8) != 0) printf("general register %d changed\n", i);
    for (int i = 0; i < kCount; i++) {
      size_t at = VECTOR_AT + 64 * vectors[i];
      if (memcmp(found + at, values + at, kBytes) != 0) printf("vector %d changed\n", vectors[i]);
    }
#if defined(WITH_AVX512)
    int masks[2];
    memcpy(masks, found + MASK_AT, sizeof masks);
    printf("masks %x %x\n", (unsigned)masks[0], (unsigned)masks[1]);
#endif
  }
}
