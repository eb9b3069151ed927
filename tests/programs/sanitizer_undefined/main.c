// An instrumented program opens an instrumented library; what is undefined there is reported.
#include "../check.h"

static void do_wrong(void* name) {
  void* handle = must_open(beside_program(LIBRARY), RTLD_LAZY);
  printf("%d\n", call_int(handle, (const char*)name));
}

static int reported(const char* name, const char* text) {
  static char output[1 << 16];
  int status = in_child(do_wrong, (void*)name, output, sizeof output);
  int good = WIFEXITED(status) && WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != 99 &&
             strstr(output, "lib.c") != NULL && strstr(output, text) != NULL;
  if (!good) printf("%s\n", output);
  return good;
}

int main(void) {
  CHECK("what is right") {
    void* handle = must_open(beside_program(LIBRARY), RTLD_LAZY);
    EXPECT(call_int(handle, "right") == 3);
    EXPECT(dlclose(handle) == 0);
  }
  CHECK("a signed overflow") { EXPECT(reported("overflow", "signed integer overflow")); }
  CHECK("an index out of bounds") { EXPECT(reported("out_of_bounds", "out of bounds")); }
  CHECK("a shift too far") { EXPECT(reported("shift", "shift exponent 40 is too large")); }
  return check_status();
}
