// lib0.so to lib9.so, by ID: thread-local storage, objects with destructors, a constructor that
// opens another one, exceptions, functions that are bound at their first call.
#include <dlfcn.h>
#include <stdexcept>
#include <stdio.h>
#include <string>

extern "C" int constructed[], destroyed[];
extern "C" const char* directory;

static bool ready;
static void* nested;
__attribute__((constructor)) static void begin() {
  __atomic_add_fetch(&constructed[ID], 1, __ATOMIC_SEQ_CST);
#if ID % 5 == 2
  char path[512];
  snprintf(path, sizeof path, "%s/lib%d.so", directory, (ID + 1) % 10);
  nested = dlopen(path, RTLD_NOW);
#endif
  ready = true;
}
__attribute__((destructor)) static void end() {
  ready = false;
  if (nested != nullptr) dlclose(nested);
  __atomic_add_fetch(&destroyed[ID], 1, __ATOMIC_SEQ_CST);
}

#if ID % 5 == 0
static thread_local int counter = 1000;
static thread_local char large[3000];
static bool works() { return counter == 1000 && large[2999] == 0; }
#elif ID % 5 == 1
struct Object {
  std::string text = "long enough to be on the heap of the process";
};
static thread_local Object object;
static bool works() { return object.text.size() == 44; }
#elif ID % 5 == 2
static bool works() { return nested != nullptr; }
#elif ID % 5 == 3
__attribute__((noinline)) static void raise() { throw std::runtime_error("from a library"); }
static bool works() {
  try {
    raise();
  } catch (const std::exception& e) {
    return std::string(e.what()) == "from a library";
  }
  return false;
}
#else
extern "C" {
__attribute__((noinline)) int lazy0(int x) { return x; }
__attribute__((noinline)) int lazy1(int x) { return x + 1; }
__attribute__((noinline)) int lazy2(int x) { return x + 2; }
}
static bool works() { return lazy0(1) + lazy1(1) + lazy2(1) == 6; }
#endif

extern "C" int use() { return ready && works() ? ID : -1; }
