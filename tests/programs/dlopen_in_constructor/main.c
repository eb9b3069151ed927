#include "../check.h"

static char diary[256];
void note(const char* word) { strcat(strcat(diary, word), " "); }

static int diary_is(const char* expected) {
  int same = strcmp(diary, expected) == 0;
  if (!same) printf("  the diary says: %s\n", diary);
  diary[0] = 0;
  return same;
}

int main(void) {
  CHECK("a constructor opens another module, which is ready when dlopen returns") {
    void* handle = must_open("libouter.so", RTLD_NOW);
    EXPECT(diary_is("outer-begins +inner inner-answers-6 outer-ends "));
    EXPECT(module_loaded("libinner.so"));
    dlclose(handle);
    EXPECT(diary_is("-outer -inner "));
    EXPECT(!module_loaded("libinner.so") && !module_loaded("libouter.so"));
  }
  CHECK("a constructor opens its own module, which is under construction") {
    void* handle = must_open("libself.so", RTLD_NOW);
    EXPECT(diary_is("self-found "));
    dlclose(handle);
    EXPECT(!module_loaded("libself.so"));
  }
  CHECK("a constructor opens what needs its module and is being opened: that begins after it") {
    void* handle = must_open("libupper.so", RTLD_NOW);
    EXPECT(diary_is("lower-begins upper-found lower-ends +upper "));
    dlclose(handle);
    EXPECT(diary_is(""));
    EXPECT(!module_loaded("libupper.so") && !module_loaded("liblower.so"));
  }
  CHECK("a constructor's dlopen that fails does not harm the outer one") {
    void* handle = dlopen("libtries.so", RTLD_NOW);
    EXPECT(handle != NULL);
    EXPECT(diary_is("tried "));
    EXPECT(call_int(handle, "answer") == 7);
    dlclose(handle);
  }
  CHECK("a constructor makes another module global, and uses what it now sees") {
    void* handle = must_open("libpromotes.so", RTLD_NOW);
    EXPECT(diary_is("+inner promoted -inner "));
    dlclose(handle);
  }
  CHECK("a destructor opens and closes a module") {
    void* handle = must_open("liblate.so", RTLD_NOW);
    dlclose(handle);
    // The inner one is finalised within dlclose or right after the destructor.
    EXPECT(strstr(diary, "late-begins-to-end +inner ") == diary);
    EXPECT(strstr(diary, "-inner ") != NULL && strstr(diary, "late-ends ") != NULL);
    diary[0] = 0;
    EXPECT(!module_loaded("liblate.so") && !module_loaded("libinner.so"));
  }
  CHECK("libraries opened by constructors before main are there in main") {
    EXPECT(module_loaded("libat-start-opened.so"));
    void* handle = must_open("libat-start-opened.so", RTLD_NOW | RTLD_NOLOAD);
    EXPECT(call_int(handle, "answer") == 8);
  }
  fflush(stdout);
  _exit(check_status());
}
