// Libraries that are laid out in ways that linkers seldom choose, and such that must leave again.
#include "../check.h"

static void open_it(const char* name) {
  void* handle = dlopen(name, RTLD_NOW);
  if (handle == NULL) printf("  %s\n", dlerror());
  printf("%s: %d\n", name, handle == NULL ? -1 : call_int(handle, "value"));
}

int main(void) {
  open_it("librodynamic.so");
  open_it("libgap.so");
  open_it("libnosections.so");
  open_it("libsysv.so");
  CHECK("a library with nothing in it") { EXPECT(must_open("libnothing.so", RTLD_NOW) != NULL); }
  CHECK("RTLD_NODELETE and -z nodelete keep nothing of an opening that fails") {
    EXPECT(dlopen("libundefined.so", RTLD_NOW | RTLD_NODELETE) == NULL);
    EXPECT(error_names("undefined symbol: no_such_function"));
    EXPECT(!module_loaded("libundefined.so") && !module_loaded("libkept.so"));
  }
  CHECK("a library that has opened itself stays until it is closed by that handle") {
    void* handle = must_open("libself.so", RTLD_NOW);
    void* own = ((void* (*)(void))must_find(handle, "open_itself"))();
    EXPECT(own == handle && dlclose(handle) == 0 && module_loaded("libself.so"));
    EXPECT(dlclose(own) == 0 && !module_loaded("libself.so"));
  }
  return check_status();
}
