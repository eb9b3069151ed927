#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>

int f(void);
int f_v1(void);
int f_v2(void);
int call_default(void);
__asm__(".symver f_v1, f@V_1");
__asm__(".symver f_v2, f@V_2");

static int by_version(const char* version) {
  int (*function)(void) = (int (*)(void))dlvsym(RTLD_DEFAULT, "f", version);
  return function ? function() : -1;
}

int main(void) {
  int (*plain)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, "f");
  printf("default %d, V_1 %d, V_2 %d, the library's own %d\n", f(), f_v1(), f_v2(), call_default());
  printf("dlvsym %d %d %d, none %d\n", by_version("V_1"), by_version("V_2"), by_version("V_3"),
         by_version("V_4"));
  printf("dlsym %d\n", plain());
}
