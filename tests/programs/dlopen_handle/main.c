#include "../check.h"

int main(void) {
  void* handle = NULL;
  CHECK("S01 a handle serves dlsym and dlclose") {
    handle = dlopen("libtop.so", RTLD_NOW);
    EXPECT(handle != NULL);
    EXPECT(dlsym(handle, "top_value") != NULL);
    EXPECT(dlclose(handle) == 0);
    EXPECT(!module_loaded("libtop.so"));
  }
  CHECK("S02 dependencies are loaded too") {
    EXPECT(!module_loaded("libdep.so"));
    EXPECT(!module_loaded("libdepdep.so"));
    handle = must_open("libtop.so", RTLD_NOW);
    EXPECT(module_loaded("libdep.so"));
    EXPECT(module_loaded("libdepdep.so"));
    EXPECT(dlsym(handle, "depdep_value") != NULL);
  }
  CHECK("S33 functions are called and objects are read through dlsym") {
    int (*top_value)(void) = (int (*)(void))must_find(handle, "top_value");
    EXPECT(top_value() == 42);
    int* top_object = (int*)must_find(handle, "top_object");
    EXPECT(*top_object == 7);
    *top_object = 8;
    EXPECT(call_int(handle, "read_top_object") == 8);
  }
  CHECK("S41 only exported definitions are found") {
    EXPECT(call_int(handle, "sum_of_private_parts") == 3);
    EXPECT(dlsym(handle, "hidden_part") == NULL);
    EXPECT(error_names("hidden_part"));
    EXPECT(dlsym(handle, "static_part") == NULL);
    EXPECT(error_names("static_part"));
    // An undefined entry of the dynamic symbol table is no definition.
    EXPECT(call_int(handle, "has_weak_reference") == 0);
    EXPECT(dlsym(handle, "defined_nowhere") == NULL);
    EXPECT(error_names("defined_nowhere"));
  }
  dlclose(handle);
  return check_status();
}
