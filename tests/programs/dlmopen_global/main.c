// In a namespace, libuser.so needs what libprovider.so defines, without naming it.
#include "../check.h"

int main(void) {
  // The module that a namespace begins with may be global in it, so it is another one.
  void* start = dlmopen(LM_ID_NEWLM, "libstart.so", RTLD_NOW);
  if (start == NULL) give_up("dlmopen: %s", dlerror());
  Lmid_t id;
  dlinfo(start, RTLD_DI_LMID, &id);
  void* first = dlmopen(id, "libprovider.so", RTLD_NOW | RTLD_LOCAL);
  if (first == NULL) give_up("dlmopen: %s", dlerror());
  CHECK("RTLD_LOCAL in a namespace hides a module from the others there") {
    EXPECT(dlmopen(id, "libuser.so", RTLD_NOW) == NULL);
    EXPECT(error_names("undefined symbol: provided"));
  }
  {
    void* global = dlmopen(id, "libprovider.so", RTLD_NOW | RTLD_GLOBAL);
    void* user = dlmopen(id, "libuser.so", RTLD_NOW);
    printf("RTLD_GLOBAL shows it to them: %s\n",
           global == first && user != NULL && call_int(user, "use_provided") == 5 ? "ok" : "no");
  }
  CHECK("but not to other namespaces") {
    EXPECT(dlsym(dlopen(NULL, RTLD_NOW), "provided") == NULL);
    EXPECT(dlopen("libuser.so", RTLD_NOW) == NULL);
    EXPECT(dlmopen(LM_ID_NEWLM, "libuser.so", RTLD_NOW) == NULL);
  }
  return check_status();
}
