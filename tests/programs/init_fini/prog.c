#define M "prog"
#include "common.h"

static void preinit(int argc, char** argv, char** envp) {
  printf("preinit: argc %d argv[0] %s, envp is environ: %d\n", argc, argv[0], envp == environ);
}
__attribute__((section(".preinit_array"),
               used)) static void (*preinit_entry)(int, char**, char**) = preinit;

int main(void) {
  puts("main");
  return 3;
}
