#include <dlfcn.h>
int open_and_ask(const char* file) {
  void* handle = dlopen(file, RTLD_NOW);
  if (handle == 0) return -1;
  int (*answer)(void) = (int (*)(void))dlsym(handle, "answer");
  return answer != 0 ? answer() : -2;
}
