// Tells whether it runs in secure execution, and its environment.
#include <stdio.h>
#include <sys/auxv.h>
extern char** environ;
int main(int argc, char** argv) {
  printf("secure=%lu\n", getauxval(AT_SECURE));
  for (char** e = environ; *e != NULL; ++e) puts(*e);
  return 0;
}
