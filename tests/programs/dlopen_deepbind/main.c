// The program defines `name` (1), and so do libown.so (2) and its dependency libown-dep.so (3).
#include "../check.h"

int name(void) { return 1; }
int dep_name(void) { return 1; }

int main(void) {
  CHECK("without RTLD_DEEPBIND the program's definitions come first") {
    void* handle = must_open("libown.so", RTLD_NOW | RTLD_LOCAL);
    EXPECT(call_int(handle, "call_name") == 1);
    EXPECT(call_int(handle, "call_dep_name") == 1);
    EXPECT(call_int(handle, "default_name") == 1);
    dlclose(handle);
    EXPECT(!module_loaded("libown.so"));
  }
  CHECK("with RTLD_DEEPBIND the group's own come first") {
    void* handle = must_open("libown.so", RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    EXPECT(call_int(handle, "call_name") == 2);
    EXPECT(call_int(handle, "call_dep_name") == 3);
    EXPECT(call_int(handle, "default_name") == 2);
    // What the group does not define comes from the program and the rest as ever.
    EXPECT(call_int(handle, "call_getppid") == getppid());
    // The program is not affected.
    EXPECT(name() == 1 && dlsym(RTLD_DEFAULT, "name") == (void*)name);
    dlclose(handle);
  }
  return check_status();
}
