#include "../check.h"

static int calls(void* function) { return function != NULL ? ((int (*)(void))function)() : -1; }

int main(void) {
  void* handle = must_open("libversions.so", RTLD_NOW | RTLD_LOCAL);
  CHECK("dlvsym finds the version that is asked for") {
    EXPECT(calls(dlvsym(handle, "function", "V_1")) == 1);
    EXPECT(calls(dlvsym(handle, "function", "V_2")) == 2);
    EXPECT(calls(dlvsym(handle, "function", "V_3")) == 3);
    EXPECT(calls(dlvsym(handle, "only_old", "V_1")) == 11);
    EXPECT(calls(dlvsym(handle, "only_new", "V_3")) == 13);
  }
  CHECK("dlsym finds the default version") {
    EXPECT(calls(dlsym(handle, "function")) == 3);
    EXPECT(calls(dlsym(handle, "only_new")) == 13);
  }
  CHECK("dlsym does not find a name that has no default version") {
    EXPECT(dlsym(handle, "only_old_ones") == NULL);
    EXPECT(error_names("only_old_ones"));
    EXPECT(calls(dlvsym(handle, "only_old_ones", "V_2")) == 22);
  }
  CHECK("a version that is not there gives null and an error with both names") {
    EXPECT(dlvsym(handle, "function", "V_9") == NULL);
    EXPECT(error_names("undefined symbol: function, version V_9"));
    EXPECT(dlvsym(handle, "only_new", "V_1") == NULL);
    EXPECT(error_names("undefined symbol: only_new, version V_1"));
    EXPECT(dlvsym(handle, "no_such_name", "V_1") == NULL);
    EXPECT(error_names("undefined symbol: no_such_name, version V_1"));
  }
  CHECK("dlvsym with RTLD_DEFAULT, RTLD_NEXT and the null file") {
    EXPECT(dlvsym(RTLD_DEFAULT, "function", "V_1") == NULL);
    must_open("libversions.so", RTLD_NOW | RTLD_GLOBAL);
    EXPECT(calls(dlvsym(RTLD_DEFAULT, "function", "V_1")) == 1);
    EXPECT(calls(dlvsym(RTLD_DEFAULT, "function", "V_2")) == 2);
    EXPECT(calls(dlvsym(dlopen(NULL, RTLD_NOW), "function", "V_2")) == 2);
    EXPECT(calls(dlvsym(RTLD_NEXT, "in_start", "START_1")) == 31);
    EXPECT(calls(dlvsym(RTLD_NEXT, "in_start", "START_2")) == 32);
    EXPECT(dlvsym(RTLD_NEXT, "in_start", "START_3") == NULL);
    EXPECT(error_names("undefined symbol: in_start, version START_3"));
  }
  return check_status();
}
