// The good library that main.c damages: every table that a loader reads is in it.
#include <stdio.h>

static __thread int counter = 7;
__thread int shared_counter = 5;
int table[4] = {1, 2, 3, 4};
int* pointers[2] = {&table[1], &table[2]};

static int four(void) { return 4; }
static int (*choose(void))(void) { return four; }
int chosen(void) __attribute__((ifunc("choose"), visibility("hidden")));

static int ready;
__attribute__((constructor)) static void begin(void) { ready = 1; }
__attribute__((destructor)) static void end(void) { ready = 0; }

// What main.c calls: 0 if everything that the library is made of works.
int damage(void) {
  char text[8];
  snprintf(text, sizeof text, "%d", ++counter);
  return ready && text[0] == '8' && shared_counter == 5 && *pointers[1] == 3 && chosen() == 4 ? 0
                                                                                              : 1;
}
