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
  void *handle, *user, *null = dlopen(NULL, RTLD_NOW);
  CHECK("-z now: RTLD_LAZY binds everything too") {
    EXPECT(dlopen("libnow.so", RTLD_LAZY) == NULL);
    EXPECT(error_names("undefined symbol: missing_function"));
    handle = dlopen("liblazy.so", RTLD_LAZY);
    EXPECT(handle != NULL && dlclose(handle) == 0);
  }
  CHECK("-z nodelete: dlclose leaves it") {
    handle = must_open("libnodelete.so", RTLD_NOW);
    EXPECT(dlclose(handle) == 0 && module_loaded("libnodelete.so"));
  }
  CHECK("-z initfirst: its constructor runs before the others of the call") {
    diary[0] = 0;
    handle = must_open("libinit-parent.so", RTLD_NOW);
    EXPECT(diary_is("first other "));
    dlclose(handle);
    // Without the flag the order is the other one.
    handle = must_open("libplain-parent.so", RTLD_NOW);
    EXPECT(diary_is("other plain "));
    dlclose(handle);
  }
  CHECK("-z nodlopen: refused, also as a dependency") {
    EXPECT(dlopen("libnoopen.so", RTLD_NOW) == NULL);
    EXPECT(error_names("libnoopen.so: shared object cannot be dlopen()ed"));
    EXPECT(dlopen("libneeds-noopen.so", RTLD_NOW) == NULL);
    EXPECT(error_names("libnoopen.so: shared object cannot be dlopen()ed"));
    EXPECT(!module_loaded("libnoopen.so") && !module_loaded("libneeds-noopen.so"));
  }
  CHECK("-z nodefaultlib: the system's directories are not searched for it") {
    if (module_loaded("libm.so.6")) give_up("libm.so.6 is loaded already");
    EXPECT(dlopen("libnodefaultlib.so", RTLD_NOW) == NULL);
    EXPECT(error_names("libm.so.6: cannot open shared object file"));
    handle = dlopen("libdefaultlib.so", RTLD_NOW);
    EXPECT(handle != NULL && dlclose(handle) == 0);
  }
  {
    handle = must_open("libglobal.so", RTLD_NOW | RTLD_LOCAL);
    printf("-z global: %s\n", dlsym(null, "in_global") != NULL ? "global" : "ignored");
    dlclose(handle);
  }
  {
    // libinterposer.so and libprovider.so define the same function, and the provider comes first.
    user = must_open("libinterposed.so", RTLD_NOW | RTLD_LOCAL);
    printf("-z interpose: %s\n", call_int(user, "use_provided") == 2 ? "first" : "ignored");
    dlclose(user);
  }
  return check_status();
}
