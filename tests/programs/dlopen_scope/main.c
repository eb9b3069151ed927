// libproviderN.so define `provided` (and `provided_N`), each with its own number, and
// libuser.so calls it without naming a provider.
#include "../check.h"

int from_program(void) { return 21; }
extern int from_start(void);

int main(void) {
  if (from_start() != 22) give_up("the library of the start is not there");
  void *handle, *user, *other, *null = dlopen(NULL, RTLD_NOW);

  CHECK("S18 RTLD_GLOBAL: found through the null handle and by what is loaded later") {
    handle = must_open("libprovider1.so", RTLD_NOW | RTLD_GLOBAL);
    EXPECT(dlsym(null, "provided") == dlsym(handle, "provided"));
    user = dlopen("libuser.so", RTLD_NOW);
    EXPECT(user != NULL && call_int(user, "use_provided") == 1);
    dlclose(user);
    dlclose(handle);
    EXPECT(!module_loaded("libprovider1.so"));
    // A search with RTLD_DEFAULT may tie the module to the caller, so this one is used only here.
    handle = must_open("libprovider3.so", RTLD_NOW | RTLD_GLOBAL);
    EXPECT(dlsym(RTLD_DEFAULT, "provided_3") == dlsym(handle, "provided_3"));
    dlclose(handle);
  }
  CHECK("S19 RTLD_LOCAL: found through its own handle only") {
    handle = must_open("libprovider1.so", RTLD_NOW | RTLD_LOCAL);
    EXPECT(dlsym(RTLD_DEFAULT, "provided_1") == NULL);
    EXPECT(dlsym(null, "provided") == NULL);
    EXPECT(dlopen("libuser.so", RTLD_NOW) == NULL);
    EXPECT(error_names("undefined symbol: provided"));
    EXPECT(call_int(handle, "provided") == 1);
    dlclose(handle);
  }
  CHECK("S20 neither RTLD_GLOBAL nor RTLD_LOCAL is RTLD_LOCAL") {
    handle = must_open("libprovider1.so", RTLD_NOW);
    EXPECT(dlsym(null, "provided") == NULL);
    EXPECT(dlopen("libuser.so", RTLD_NOW) == NULL);
    dlclose(handle);
  }
  CHECK("S21 global stays global when opened again as local") {
    handle = must_open("libprovider1.so", RTLD_NOW | RTLD_GLOBAL);
    must_open("libprovider1.so", RTLD_NOW | RTLD_LOCAL);
    EXPECT(dlsym(null, "provided") != NULL);
    // Nor does closing the reference that asked for it.
    dlclose(handle);
    EXPECT(dlsym(null, "provided") != NULL);
    dlclose(handle);
    EXPECT(dlsym(null, "provided") == NULL);
    // It does not outlive the module.
    handle = must_open("libprovider1.so", RTLD_NOW | RTLD_LOCAL);
    EXPECT(dlsym(null, "provided") == NULL);
    dlclose(handle);
  }
  CHECK("S22 local becomes global, with its dependencies, when opened again as global") {
    handle = must_open("libparent.so", RTLD_NOW | RTLD_LOCAL);
    EXPECT(dlsym(null, "parent") == NULL);
    EXPECT(dlsym(null, "provided") == NULL);
    EXPECT(dlopen("libparent.so", RTLD_NOW | RTLD_GLOBAL) == handle);
    EXPECT(dlsym(null, "parent") != NULL);
    EXPECT(dlsym(null, "provided") != NULL);
    user = dlopen("libuser.so", RTLD_NOW);
    EXPECT(user != NULL && call_int(user, "use_provided") == 1);
    dlclose(user);
    dlclose(handle);
    dlclose(handle);
    EXPECT(!module_loaded("libprovider1.so"));
  }
  CHECK("S23 becoming global rebinds nothing and comes last in the order") {
    handle = must_open("libprovider1.so", RTLD_NOW | RTLD_LOCAL);
    other = must_open("libprovider2.so", RTLD_NOW | RTLD_GLOBAL);
    user = must_open("libuser.so", RTLD_NOW);
    EXPECT(call_int(user, "use_provided") == 2);
    must_open("libprovider1.so", RTLD_NOW | RTLD_GLOBAL);
    EXPECT(call_int(user, "use_provided") == 2);
    EXPECT(call_int(null, "provided") == 2);
    EXPECT(call_int(null, "provided_1") == 1);
    dlclose(user);
    user = must_open("libuser.so", RTLD_NOW);
    EXPECT(call_int(user, "use_provided") == 2);
    dlclose(user);
    dlclose(other);
    dlclose(handle);
    dlclose(handle);
    EXPECT(!module_loaded("libprovider1.so") && !module_loaded("libprovider2.so"));
  }
  CHECK("S24 a module binds to the program, the start, its own group, the global ones, nothing "
        "else") {
    handle = must_open("libprovider1.so", RTLD_NOW | RTLD_GLOBAL);
    user = dlopen("libbinds-all.so", RTLD_NOW | RTLD_LOCAL);
    EXPECT(user != NULL);
    EXPECT(call_int(user, "use_program") == 21);
    EXPECT(call_int(user, "use_start") == 22);
    EXPECT(call_int(user, "use_own") == 23);
    EXPECT(call_int(user, "use_dependency") == 24);
    EXPECT(call_int(user, "use_global") == 1);
    dlclose(user);
    dlclose(handle);
    // The same without the global one, while a local one would have it.
    handle = must_open("libprovider1.so", RTLD_NOW | RTLD_LOCAL);
    EXPECT(dlopen("libbinds-all.so", RTLD_NOW | RTLD_LOCAL) == NULL);
    EXPECT(error_names("provided"));
    dlclose(handle);
  }
  CHECK("S25 members of one call's group bind to each other, local as they are") {
    // libuser.so names no dependency; here its sibling provides what it needs.
    handle = dlopen("libgroup.so", RTLD_NOW | RTLD_LOCAL);
    EXPECT(handle != NULL && call_int(handle, "use_provided") == 1);
    EXPECT(dlsym(null, "provided") == NULL);
    EXPECT(dlsym(null, "use_provided") == NULL);
    if (handle != NULL) dlclose(handle);
    EXPECT(!module_loaded("libprovider1.so"));
  }
  return check_status();
}
