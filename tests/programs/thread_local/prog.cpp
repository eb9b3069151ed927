#include <cstdio>
#include <dlfcn.h>
#include <stdexcept>
#include <thread>

int main() {
  void* handle = dlopen("./libplugin.so", RTLD_NOW | RTLD_LOCAL);
  if (!handle) return std::puts(dlerror()), 1;
  auto use = reinterpret_cast<int (*)(int)>(dlsym(handle, "use"));
  auto fail = reinterpret_cast<void (*)()>(dlsym(handle, "fail"));
  for (int i = 1; i <= 3; i++) {
    std::thread([=] {
      use(i);
      use(i);
    }).join();
    std::printf("thread %d joined\n", i);
  }
  try {
    fail();
  } catch (const std::exception& error) {
    std::printf("caught in the program: %s\n", error.what());
  }
  use(0);
  std::printf("closed: %d\n", dlclose(handle));  // the main thread's local keeps the library
  std::puts("end of main");
}
