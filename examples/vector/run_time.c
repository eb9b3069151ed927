// The program knows nothing of the library until it opens it; the same loader then finds it, maps it
// and binds to it while the program runs.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

typedef void vector_function(const int* x, const int* y, int* z, int n);

static void* find(void* library, const char* name) {
  void* address = dlsym(library, name);
  if (address == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  return address;
}

int main(int argc, char** argv) {
  int x[2] = {1, 2}, y[2] = {3, 4}, z[2];
  void* library = dlopen(argc > 1 ? argv[1] : "libvector_plugin.so", RTLD_LAZY);
  if (library == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }

  vector_function* addvec = (vector_function*)find(library, "addvec");
  addvec(x, y, z, 2);
  printf("addvec:  z = [%d %d]\n", z[0], z[1]);
  vector_function* multvec = (vector_function*)find(library, "multvec");
  multvec(x, y, z, 2);
  printf("multvec: z = [%d %d]\n", z[0], z[1]);
  printf("calls: %d and %d\n", *(int*)find(library, "addcnt"), *(int*)find(library, "multcnt"));

  if (dlclose(library) != 0) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  return 0;
}
