// Starts itself with no arguments at all, not even its name.
#include "../check.h"

int main(int argc, char** argv) {
  if (argc > 1) {
    char* none[] = {NULL};
    char* environment[] = {"SECOND=1", NULL};
    execve(argv[0], none, environment);
    give_up("execve");
  }
  printf("argc is at most 1: %d\n", argc <= 1);
  printf("the environment is read: %d\n", getenv("SECOND") != NULL);
  printf("dlopen works: %d\n", dlopen("libm.so.6", RTLD_NOW) != NULL);
  printf("and fails: %d\n", dlopen("no-such-file.so", RTLD_NOW) == NULL && dlerror() != NULL);
  return 0;
}
