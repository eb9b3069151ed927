// `plugins` holds libraries that the program cannot find by name; those that stand there have it in
// their own RUNPATH or RPATH. LD_LIBRARY_PATH names `environment`, where libboth.so is another one.
#include "../check.h"

int main(void) {
  void* by_runpath = must_open("plugins/librunpath.so", RTLD_NOW);
  void* by_rpath = must_open("plugins/librpath.so", RTLD_NOW);
  void* by_none = must_open("plugins/libnone.so", RTLD_NOW);
  int (*opens_runpath)(const char*) = (int (*)(const char*))must_find(by_runpath, "open_and_ask");
  int (*opens_rpath)(const char*) = (int (*)(const char*))must_find(by_rpath, "open_and_ask");
  int (*opens_none)(const char*) = (int (*)(const char*))must_find(by_none, "open_and_ask");

  CHECK("S04 the RUNPATH of the library that calls dlopen is searched") {
    EXPECT(opens_runpath("libprivate1.so") == 1);
    EXPECT(opens_rpath("libprivate2.so") == 2);
  }
  CHECK("S04 nobody else's is") {
    EXPECT(dlopen("libprivate3.so", RTLD_NOW) == NULL);
    EXPECT(opens_none("libprivate3.so") == -1);
    EXPECT(opens_none("libbeside.so") == -1);
    EXPECT(opens_rpath("libbeside.so") == 5);
  }
  CHECK("S04 LD_LIBRARY_PATH comes before RUNPATH and after RPATH") {
    EXPECT(opens_runpath("libboth.so") == 6);
    EXPECT(opens_rpath("libboth2.so") == 7);
  }
  CHECK("S04 RUNPATH is not inherited by dependencies, RPATH is") {
    // Both libraries of plugins/ need one in plugins/deep/, which needs another one there without
    // saying where.
    EXPECT(dlopen("plugins/libinherits-runpath.so", RTLD_NOW) == NULL);
    EXPECT(error_names("libdeepest.so: cannot open shared object file"));
    EXPECT(dlopen("plugins/libinherits-rpath.so", RTLD_NOW) != NULL);
  }
  return check_status();
}
