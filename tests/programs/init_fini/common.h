// Each module prints one line for each of its initialisers and finalisers, with stdio: libc must
// have been initialised before. `M` is the module's name.
#include <stdio.h>
#include <stdlib.h>

extern char** environ;

__attribute__((constructor)) static void construct(int argc, char** argv, char** envp) {
  printf("%s constructor: argc %d argv[0] %s argv[%d] %s, envp is environ: %d\n", M, argc, argv[0],
         argc - 1, argv[argc - 1], envp == environ);
}
__attribute__((constructor(101))) static void construct_early(void) { puts(M " constructor 101"); }
__attribute__((constructor(201))) static void construct_late(void) { puts(M " constructor 201"); }
__attribute__((destructor)) static void destruct(void) { puts(M " destructor"); }
__attribute__((destructor(101))) static void destruct_late(void) { puts(M " destructor 101"); }
__attribute__((destructor(201))) static void destruct_early(void) { puts(M " destructor 201"); }
static void at_exit(void) { puts(M " atexit"); }
__attribute__((constructor)) static void register_exit(void) { atexit(at_exit); }
