#include "../check.h"

static void try(const char* what, const char* path, int mode) {
  void* handle = dlopen(path, mode);
  const char* error = handle != NULL ? ": opened" : dlerror();
  printf("%s%s\n", what, error == NULL ? ": no" : strrchr(error, ':'));
}

int main(int argc, char** argv) {
  (void)argc;
  char path[PATH_MAX];
  try("by its path", realpath(argv[0], path), RTLD_LAZY);
  try("if it is loaded", path, RTLD_LAZY | RTLD_NOLOAD);
  try("as NULL", NULL, RTLD_LAZY);
  return 0;
}
