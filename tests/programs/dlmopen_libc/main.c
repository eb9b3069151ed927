#include "../check.h"

int main(void) {
  setenv("SET_BY_MAIN", "yes", 1);
  void* handle = dlmopen(LM_ID_NEWLM, beside_program("libplugin.so"), RTLD_NOW);
  if (handle == NULL) give_up("dlmopen: %s", dlerror());
  ((void (*)(void))must_find(handle, "use_libc"))();
  printf("dlerror here: %s\n", dlerror() == NULL ? "nothing" : "something");
  printf("dlclose: %d\n", dlclose(handle));
  return 0;
}
