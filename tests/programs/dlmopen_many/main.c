#include "../check.h"

enum { kMany = 40 };

int main(void) {
  // The library needs no libc, so that only the number of namespaces counts.
  static void* handles[kMany];
  int opened = 0;
  while (opened < kMany) {
    handles[opened] = dlmopen(LM_ID_NEWLM, "libalone.so", RTLD_NOW);
    if (handles[opened] == NULL) break;
    ++opened;
  }
  printf("%d namespaces at once: %s\n", kMany, opened == kMany ? "ok" : "not so many");
  CHECK("each is its own, and they can be closed and made again") {
    EXPECT(opened >= 10);
    for (int i = 0; i < opened; ++i) {
      Lmid_t id = 0;
      EXPECT(dlinfo(handles[i], RTLD_DI_LMID, &id) == 0 && id != LM_ID_BASE);
      EXPECT(call_int(handles[i], "increment") == 1);
    }
    for (int i = 0; i < opened; ++i) EXPECT(call_int(handles[i], "increment") == 2);
    for (int i = 0; i < opened; ++i) EXPECT(dlclose(handles[i]) == 0);
    for (int round = 0; round < 50; ++round) {
      void* handle = dlmopen(LM_ID_NEWLM, "libalone.so", RTLD_NOW);
      EXPECT(handle != NULL && call_int(handle, "increment") == 1 && dlclose(handle) == 0);
    }
  }
  return check_status();
}
