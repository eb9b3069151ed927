// An instrumented program opens an instrumented library. What is right runs as ever; what is wrong
// is reported, with the library's name.
#include "../check.h"
#include <pthread.h>

static void* use_in_thread(void* handle) {
  return (void*)(intptr_t)(call_int(handle, "right") != 45);
}

static void do_wrong(void* name) {
  void* handle = must_open(beside_program(LIBRARY), RTLD_LAZY);
  printf("%d\n", call_int(handle, (const char*)name));
}

static int reported(const char* name, const char* kind) {
  static char output[1 << 16];
  int status = in_child(do_wrong, (void*)name, output, sizeof output);
  int good = WIFEXITED(status) && WEXITSTATUS(status) == 23 &&
             strstr(output, "AddressSanitizer") != NULL && strstr(output, kind) != NULL &&
             strstr(output, LIBRARY "+0x") != NULL;
  if (!good) printf("%s\n", output);
  return good;
}

int main(void) {
  CHECK("what is right") {
    for (int i = 0; i < 20; ++i) {
      void* handle = must_open(beside_program(LIBRARY), RTLD_LAZY);
      EXPECT(call_int(handle, "right") == 45);
      pthread_t thread;
      void* wrong = NULL;
      pthread_create(&thread, NULL, use_in_thread, handle);
      pthread_join(thread, &wrong);
      EXPECT(wrong == NULL);
      EXPECT(dlclose(handle) == 0);
    }
    EXPECT(dlopen("no-such-file.so", RTLD_NOW) == NULL);
    EXPECT(error_names("no-such-file.so"));
  }
  CHECK("a heap overflow") { EXPECT(reported("overflow_heap", "heap-buffer-overflow")); }
  CHECK("a stack overflow") { EXPECT(reported("overflow_stack", "stack-buffer-overflow")); }
  CHECK("an overflow of a library's global") {
    EXPECT(reported("overflow_global", "global-buffer-overflow"));
  }
  CHECK("a use after free") { EXPECT(reported("use_after_free", "heap-use-after-free")); }
  return check_status();
}
