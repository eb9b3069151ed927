#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char** argv) {
  (void)argc;
  if (strcmp(argv[1], "opener") == 0) {
    void* opener = dlopen("libopener.so", RTLD_LAZY | RTLD_GLOBAL);
    int (*call)(void) = opener == NULL ? NULL : (int (*)(void))dlsym(opener, "opener_calls");
    if (call == NULL) return puts(dlerror()), 1;
    printf("opened's function: %d\n", call());
  } else {
    void* bringer = dlopen("libbringer.so", RTLD_LAZY);
    if (bringer == NULL) return puts(dlerror()), 1;
    printf("bringer closed: %d\n", dlclose(bringer));
  }
  puts("end of main");
  return 0;
}
