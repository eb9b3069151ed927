#include <stdio.h>
int maybe_call(int really);
int main(int argc, char** argv) {
  (void)argv;
  printf("%d\n", maybe_call(0));
  fflush(stdout);
  printf("%d\n", maybe_call(argc > 1));
}
