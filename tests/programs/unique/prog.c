#include <dlfcn.h>
#include <stdio.h>

int main(void) {
  for (int i = 0; i < 2; i++) {
    void* a = dlopen("./liba.so", RTLD_NOW | RTLD_LOCAL);
    void* b = dlopen("./libb.so", RTLD_NOW | RTLD_LOCAL);
    if (!a || !b) return puts(dlerror()), 1;
    int (*count_a)(void) = (int (*)(void))dlsym(a, "count");
    int (*count_b)(void) = (int (*)(void))dlsym(b, "count");
    int counts[] = {count_a(), count_b(), count_a()};
    printf("%d %d %d\n", counts[0], counts[1], counts[2]);
    dlclose(a);  // stays: it defines the unique symbol
    dlclose(b);
  }
}
