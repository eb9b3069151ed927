// What debuggers look at: opens libopened.so in this namespace, in a new one, and one that is not
// there.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>

int spin(int rounds);

int main(int argc, char** argv) {
  void* opened = dlopen("libopened.so", RTLD_NOW);
  if (opened == NULL) return puts(dlerror()), 1;
  int (*call)(int) = (int (*)(int))dlsym(opened, "opened_outer");
  int sum = call(argc);
  void* apart = dlmopen(LM_ID_NEWLM, "libopened.so", RTLD_NOW);
  if (apart == NULL) return puts(dlerror()), 1;
  sum += ((int (*)(int))dlsym(apart, "opened_outer"))(argc);
  if (dlopen("libbroken.so", RTLD_NOW) != NULL) return 1;
  dlclose(opened);
  if (argc > 1) sum += spin(100000000);
  printf("%d\n", sum != 0);
  return 0;
}
