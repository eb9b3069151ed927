// Stays because libkeeper.so, which is never unloaded, is bound to it. What brought both is gone by
// the time that its destructor binds a call to a function of its own.
#include <stdio.h>

void kept_for(const char* whom) { printf("%s binds to kept\n", whom); }
void kept_function(void) { puts("kept finds its own function"); }

__attribute__((destructor)) static void end(void) {
  printf("kept's destructor calls: ");
  kept_function();
}
