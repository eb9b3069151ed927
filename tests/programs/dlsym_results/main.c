#include "../check.h"

int in_program(void) { return 3; }

// Each of these ends the child with status 0 if the call was refused with an error.
static void look_up_in_garbage(void* garbage) {
  (void)dlerror();
  void* found = dlsym(garbage, "function");
  _exit(found == NULL && dlerror() != NULL ? 0 : 1);
}

static void look_up_in_closed(void* unused) {
  (void)unused;
  void* handle = must_open("libclosed.so", RTLD_NOW);
  if (dlsym(handle, "function") == NULL) _exit(2);
  dlclose(handle);
  look_up_in_garbage(handle);
}

int main(void) {
  void* handle = must_open("libresults.so", RTLD_NOW);
  void* global = must_open("libglobal.so", RTLD_NOW | RTLD_GLOBAL);
  static char output[256];

  CHECK("S34 an unknown name gives null and an error") {
    EXPECT(dlsym(handle, "no_such_name") == NULL);
    EXPECT(error_names("undefined symbol: no_such_name"));
    EXPECT(dlsym(handle, "no_such_name") == NULL);
    EXPECT(error_names("libresults.so"));
    EXPECT(dlsym(RTLD_DEFAULT, "no_such_name") == NULL);
    EXPECT(error_names("undefined symbol: no_such_name"));
    EXPECT(dlsym(dlopen(NULL, RTLD_NOW), "no_such_name") == NULL);
    EXPECT(error_names("undefined symbol: no_such_name"));
    EXPECT(dlsym(handle, "") == NULL);
    EXPECT(dlerror() != NULL);
  }
  {
    int garbage = in_child(look_up_in_garbage, (void*)0x10, output, sizeof output);
    int closed = in_child(look_up_in_closed, NULL, output, sizeof output);
    printf("S34 a handle that is none gives null and an error: %s\n",
           garbage == 0 && closed == 0 ? "ok" : "crash or garbage");
  }
  CHECK("S35 a symbol whose value is zero gives null and no error") {
    (void)dlerror();
    EXPECT(dlsym(handle, "absolute_zero") == NULL);
    EXPECT(dlerror() == NULL);
    EXPECT(dlsym(handle, "absolute_seventeen") == (void*)17);
    EXPECT(dlerror() == NULL);
    EXPECT(dlsym(handle, "resolves_to_null") == NULL);
    EXPECT(dlerror() == NULL);
    // An unread error is another matter: the call that succeeds may clear it, so ask first.
    EXPECT(dlsym(handle, "no_such_name") == NULL);
    EXPECT(dlerror() != NULL);
  }
  CHECK("S36 a handle does not see what is outside its tree") {
    EXPECT(dlsym(handle, "in_global") == NULL);
    EXPECT(error_names("in_global"));
    EXPECT(dlsym(handle, "in_program") == NULL);
    EXPECT(error_names("in_program"));
    EXPECT(call_int(global, "in_global") == 4);
    EXPECT(dlsym(RTLD_DEFAULT, "in_global") == dlsym(global, "in_global"));
    EXPECT(call_int(RTLD_DEFAULT, "in_program") == in_program());
  }
  return check_status();
}
