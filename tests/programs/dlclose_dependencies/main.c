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
  void *provider, *user, *left, *right, *shared, *cycle;
  void* null = dlopen(NULL, RTLD_NOW);

  CHECK("S45 what another handle refers to stays") {
    shared = must_open("libshared.so", RTLD_NOW);
    left = must_open("libleft.so", RTLD_NOW);
    EXPECT(diary_is("+shared +left "));
    int* object = (int*)must_find(shared, "shared_object");
    dlclose(left);
    EXPECT(diary_is("-left "));
    EXPECT(*object == 3);
    dlclose(shared);
    EXPECT(diary_is("-shared "));
  }
  CHECK("S46 a module that satisfied a relocation stays while the relocated one does") {
    provider = must_open("libprovider.so", RTLD_NOW | RTLD_GLOBAL);
    user = must_open("libuser.so", RTLD_NOW | RTLD_LOCAL);
    EXPECT(diary_is("+provider +user "));
    EXPECT(dlclose(provider) == 0);
    EXPECT(diary_is(""));
    EXPECT(call_int(user, "use_provided") == 8);
    EXPECT(dlsym(null, "provided") != NULL);
    EXPECT(dlclose(user) == 0);
    EXPECT(diary_is("-user -provider "));
    EXPECT(!module_loaded("libprovider.so"));
    EXPECT(dlsym(null, "provided") == NULL);
  }
  CHECK("S46 also when the relocation was done lazily") {
    provider = must_open("libprovider.so", RTLD_NOW | RTLD_GLOBAL);
    user = must_open("libuser.so", RTLD_LAZY | RTLD_LOCAL);
    EXPECT(call_int(user, "use_provided") == 8);
    EXPECT(dlclose(provider) == 0);
    EXPECT(diary_is("+provider +user "));
    EXPECT(call_int(user, "use_provided") == 8);
    EXPECT(dlclose(user) == 0);
    EXPECT(diary_is("-user -provider "));
    // A slot that was never bound holds nothing.
    provider = must_open("libprovider.so", RTLD_NOW | RTLD_GLOBAL);
    user = must_open("libuser.so", RTLD_LAZY | RTLD_LOCAL);
    EXPECT(dlclose(provider) == 0);
    EXPECT(diary_is("+provider +user -provider "));
    EXPECT(dlclose(user) == 0);
    EXPECT(diary_is("-user "));
  }
  CHECK("S47 closing a parent releases its dependencies, unless they are held otherwise") {
    left = must_open("libleft.so", RTLD_NOW);
    right = must_open("libright.so", RTLD_NOW);
    EXPECT(diary_is("+shared +left +right "));
    dlclose(left);
    EXPECT(diary_is("-left "));
    EXPECT(call_int(right, "right") == 3);
    dlclose(right);
    EXPECT(diary_is("-right -shared "));
    EXPECT(!module_loaded("libshared.so"));
  }
  CHECK("S47 modules that need each other go together") {
    cycle = must_open("libcycle-a.so", RTLD_NOW);
    EXPECT(module_loaded("libcycle-a.so") && module_loaded("libcycle-b.so"));
    EXPECT(diary_is("+cycle-b +cycle-a "));  // what is opened comes last
    EXPECT(call_int(cycle, "cycle_a") == 2);
    void* other = must_open("libcycle-b.so", RTLD_NOW);
    dlclose(cycle);
    EXPECT(diary_is(""));
    EXPECT(module_loaded("libcycle-a.so") && module_loaded("libcycle-b.so"));
    dlclose(other);
    EXPECT(strstr(diary, "-cycle-a ") != NULL && strstr(diary, "-cycle-b ") != NULL);
    EXPECT(strlen(diary) == strlen("-cycle-a -cycle-b "));
    diary[0] = 0;
    EXPECT(!module_loaded("libcycle-a.so") && !module_loaded("libcycle-b.so"));
  }
  CHECK("S45 what RTLD_DEFAULT found for a module stays for that module") {
    provider = must_open("libprovider.so", RTLD_NOW | RTLD_GLOBAL);
    user = must_open("libfinder.so", RTLD_NOW | RTLD_LOCAL);
    EXPECT(call_int(user, "find_provided") == 8);
    dlclose(provider);
    EXPECT(diary_is("+provider "));
    EXPECT(call_int(user, "call_found") == 8);
    dlclose(user);
    EXPECT(diary_is("-provider "));
  }
  return check_status();
}
