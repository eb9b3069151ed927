#include "../check.h"

// What the libraries' constructors and destructors said, in order.
static char diary[256];
void note(const char* word) { strcat(strcat(diary, word), " "); }

static int diary_is(const char* expected) {
  int same = strcmp(diary, expected) == 0;
  if (!same) printf("  the diary says: %s\n", diary);
  diary[0] = 0;
  return same;
}

static void close_garbage(void* garbage) {
  (void)dlerror();
  int result = dlclose(garbage);
  _exit(result != 0 && dlerror() != NULL ? 0 : 1);
}

static void close_twice(void* unused) {
  (void)unused;
  void* handle = must_open("libchild.so", RTLD_NOW);
  if (dlclose(handle) != 0) _exit(2);
  (void)dlerror();
  int result = dlclose(handle);
  const char* text = dlerror();
  if (result == 0 || text == NULL) _exit(1);
  // Where the text begins with a name, it must be the module's and not freed memory.
  const char* phrase = strstr(text, ": shared object not open");
  if (phrase == NULL) _exit(0);
  const char* name = "libchild.so";
  size_t length = strlen(name), before = (size_t)(phrase - text);
  _exit(before >= length && strncmp(phrase - length, name, length) == 0 ? 0 : 3);
}

int main(void) {
  static char output[256];
  CHECK("S43 dlclose gives 0") {
    void* handle = must_open("libchild.so", RTLD_NOW);
    EXPECT(dlclose(handle) == 0);
    EXPECT(diary_is("+child -child "));
  }
  {
    int null = in_child(close_garbage, NULL, output, sizeof output);
    int garbage = in_child(close_garbage, (void*)0x10, output, sizeof output);
    int stack = in_child(close_garbage, output, output, sizeof output);
    printf("S43 a handle that never was one gives an error: %s\n",
           null == 0 && garbage == 0 && stack == 0 ? "ok" : "crash");
    int twice = in_child(close_twice, NULL, output, sizeof output);
    printf("S43 a handle that was closed gives an error: %s\n",
           twice == 0 ? "ok" : "crash or garbage");
  }
  CHECK("S44 as many closes as opens; the destructors run once, at the last") {
    void* handle = must_open("libchild.so", RTLD_NOW);
    for (int i = 0; i < 4; ++i) EXPECT(dlopen("libchild.so", RTLD_NOW) == handle);
    EXPECT(diary_is("+child "));
    for (int i = 0; i < 4; ++i) EXPECT(dlclose(handle) == 0);
    EXPECT(diary_is(""));
    EXPECT(call_int(handle, "increment") == 2);
    EXPECT(dlclose(handle) == 0);
    EXPECT(diary_is("-child "));
    EXPECT(!module_loaded("libchild.so"));
  }
  CHECK("S44 destructors run in the reverse order of constructors") {
    void* handle = must_open("libparent.so", RTLD_NOW);
    EXPECT(diary_is("+child +parent "));
    dlclose(handle);
    EXPECT(diary_is("-parent -child "));
    // Within one module too, where there are several.
    handle = must_open("libseveral.so", RTLD_NOW);
#ifdef __riscv  // where it is built without DT_INIT and DT_FINI, which its ABI does not have
    EXPECT(diary_is("+first +second +third "));
    dlclose(handle);
    EXPECT(diary_is("-third -second -first "));
#else
    EXPECT(diary_is("+init +first +second +third "));
    dlclose(handle);
    EXPECT(diary_is("-third -second -first -fini "));
#endif
  }
  CHECK("S48 closed and opened again, its data is new") {
    void* handle = must_open("libchild.so", RTLD_NOW);
    EXPECT(call_int(handle, "increment") == 2);
    EXPECT(call_int(handle, "increment") == 3);
    dlclose(handle);
    EXPECT(!module_loaded("libchild.so"));
    handle = must_open("libchild.so", RTLD_NOW);
    EXPECT(call_int(handle, "increment") == 2);
    dlclose(handle);
    EXPECT(diary_is("+child -child +child -child "));
  }
  return check_status();
}
