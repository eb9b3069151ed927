// What a program with no libc has: <isa>/start.S.
#pragma once

void bare_write(const char* text, unsigned long bytes);  // to standard output
void bare_exit(int status) __attribute__((noreturn));

// Defined by the program: its result is the exit status.
int bare_main(long argc, char** argv);

static unsigned long bare_length(const char* text) {
  unsigned long n = 0;
  while (text[n] != 0) ++n;
  return n;
}

static inline void bare_print(const char* text) { bare_write(text, bare_length(text)); }

// 0, and the program's status 1, when a check did not hold.
static int bare_failed;

static inline void bare_check(int holds, const char* what) {
  bare_print(what);
  bare_print(holds ? ": ok\n" : ": FAILED\n");
  if (!holds) bare_failed = 1;
}

#define CHECK(condition) bare_check((condition) ? 1 : 0, #condition)

static inline int bare_equal(const void* a, const void* b, unsigned long bytes) {
  const unsigned char* x = a;
  const unsigned char* y = b;
  for (unsigned long i = 0; i < bytes; ++i)
    if (x[i] != y[i]) return 0;
  return 1;
}
