// An IFUNC of libc, whose resolver runs while this library is relocated.
#include <string.h>
void* (*volatile copy)(void*, const void*, size_t) = memcpy;
int last_of(const char* text) {
  char copied[16];
  size_t n = strlen(text);
  copy(copied, text, n);
  return copied[n - 1];
}
