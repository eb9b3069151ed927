// `in_all` is defined by the program, by the library it was linked with and by all those it opens;
// `in_libraries` by all of them but the program; `in_opened` by those it opens; `only_N` by one.
#include "../check.h"

int in_all(void) { return 1; }
extern int in_start(void);

int main(void) {
  if (in_start() != 2) give_up("the library of the start is not there");
  void* before = dlopen(NULL, RTLD_NOW);
  CHECK("S05 the null file is the program, what it started with, then the global ones") {
    EXPECT(before != NULL);
    EXPECT(call_int(before, "in_all") == 1);
    EXPECT(call_int(before, "in_libraries") == 2);
    EXPECT(dlsym(before, "getpid") != NULL);
    void* local = must_open("liblocal.so", RTLD_NOW | RTLD_LOCAL);
    EXPECT(dlsym(before, "in_opened") == NULL);
    EXPECT(call_int(local, "in_opened") == 5);
    must_open("libglobal3.so", RTLD_NOW | RTLD_GLOBAL);
    EXPECT(call_int(before, "in_all") == 1);
    EXPECT(call_int(before, "in_libraries") == 2);
    EXPECT(call_int(before, "in_opened") == 3);
    EXPECT(dlsym(before, "only_5") == NULL);
  }
  CHECK("S06 a handle of the null file sees what becomes global later") {
    EXPECT(dlsym(before, "only_4") == NULL);
    must_open("libglobal4.so", RTLD_NOW | RTLD_GLOBAL);
    EXPECT(dlsym(before, "only_4") != NULL && call_int(before, "only_4") == 4);
  }
  CHECK("S30 a search through the null file goes in load order") {
    EXPECT(call_int(before, "in_opened") == 3);
    // Opening them again in the other order does not change it.
    must_open("libglobal4.so", RTLD_NOW | RTLD_GLOBAL);
    must_open("libglobal3.so", RTLD_NOW | RTLD_GLOBAL);
    EXPECT(call_int(before, "in_opened") == 3);
    EXPECT(call_int(RTLD_DEFAULT, "in_opened") == 3);
  }
  CHECK("S49 closing a handle of the null file is harmless") {
    void* again = dlopen(NULL, RTLD_LAZY);
    EXPECT(dlclose(again) == 0);
    EXPECT(dlclose(before) == 0);
    EXPECT(in_start() == 2);
    EXPECT(call_int(dlopen(NULL, RTLD_LAZY), "in_libraries") == 2);
    EXPECT(call_int(RTLD_DEFAULT, "only_4") == 4);
  }
  return check_status();
}
