// Why a module is still loaded, for each reason that there is.
#include "../check.h"

#include "../../../include/myld.h"

static char text[4096];

static const char* why(void* handle) {
  if (myld_why_loaded(handle, text, sizeof text) < 0) give_up("myld_why_loaded: %s", dlerror());
  return text;
}
static bool says(void* handle, const char* line) { return strstr(why(handle), line) != nullptr; }

int main() {
  if (myld_why_loaded == nullptr) {
    puts("another loader");
    return 0;
  }
  CHECK("it is open") {
    void* handle = must_open("libplain.so", RTLD_NOW);
    EXPECT(strcmp(why(handle), "open: 1 not closed yet\n") == 0);
    must_open("libplain.so", RTLD_NOW);
    EXPECT(strcmp(why(handle), "open: 2 not closed yet\n") == 0);
    dlclose(handle);
    dlclose(handle);
    EXPECT(myld_why_loaded(handle, text, sizeof text) == -1 && error_names("invalid handle"));
  }
  CHECK("another needs it, or uses a symbol of it") {
    void* needs = must_open("libneeds.so", RTLD_NOW);
    void* plain = must_open("libplain.so", RTLD_NOW | RTLD_NOLOAD | RTLD_GLOBAL);
    dlclose(plain);
    EXPECT(strncmp(why(plain), "needed by ", 10) == 0 && says(plain, "libneeds.so\n"));
    void* bound = must_open("libbound.so", RTLD_NOW);
    EXPECT(says(plain, "a symbol is used by ") && says(plain, "libbound.so\n"));
    dlclose(needs);
    EXPECT(!says(plain, "needed by ") && says(plain, "libbound.so\n"));
    dlclose(bound);
    EXPECT(!module_loaded("libplain.so"));
  }
  CHECK("for good") {
    void* unique = must_open("libunique.so", RTLD_NOW);
    dlclose(unique);
    EXPECT(strcmp(why(unique), "for good: unique symbol _ZN6HolderIiE5countE\n") == 0);
    void* flag = must_open("libflag.so", RTLD_NOW);
    dlclose(flag);
    EXPECT(strcmp(why(flag), "for good: DF_1_NODELETE\n") == 0);
    void* mode = must_open("libmode.so", RTLD_NOW | RTLD_NODELETE);
    dlclose(mode);
    EXPECT(strcmp(why(mode), "for good: RTLD_NODELETE\n") == 0);
    void* libc = must_open("libc.so.6", RTLD_NOW);
    EXPECT(says(libc, "for good: loaded with the program\n"));
    EXPECT(says(dlopen(nullptr, RTLD_NOW), "the program\n"));
  }
  CHECK("a thread_local object is to be destroyed") {
    void* handle = must_open("libthread-local.so", RTLD_NOW);
    EXPECT(call_int(handle, "use_object") == 3);
    dlclose(handle);
    EXPECT(strcmp(why(handle), "objects of threads, whose destructors are to run\n") == 0);
  }
  CHECK("what does not fit is cut and counted") {
    void* handle = must_open("libplain.so", RTLD_NOW);
    char small[6] = "?????";
    EXPECT(myld_why_loaded(handle, small, sizeof small) == 23 && strcmp(small, "open:") == 0);
    EXPECT(myld_why_loaded(handle, nullptr, 0) == 23);
  }
  return check_status();
}
