// Each library defines `who_am_i` and `only_here` with its own number. A filter's definitions are
// not used where its filtee has the same: dlopen(filter) gives the filtee's.
#include "../check.h"

int main(void) {
  void* handle;
  CHECK("DT_FILTER: what the filtee defines is the filtee's") {
    handle = must_open("libfilter.so", RTLD_NOW);
    EXPECT(call_int(handle, "who_am_i") == 1);
    EXPECT(module_loaded("libfiltee.so"));
    EXPECT(call_int(handle, "only_in_filtee") == 1);
    EXPECT(call_int(handle, "ask_who_am_i") == 1);
    dlclose(handle);
    EXPECT(!module_loaded("libfiltee.so"));
  }
  CHECK("DT_FILTER: without its filtee the filter is not loaded") {
    EXPECT(dlopen("libfilter-missing.so", RTLD_NOW) == NULL);
    EXPECT(error_names("libno-such-filtee.so: cannot open shared object file"));
    EXPECT(!module_loaded("libfilter-missing.so"));
  }
  CHECK("DT_AUXILIARY: the filtee comes first, the module's own is the fallback") {
    handle = must_open("libauxiliary.so", RTLD_NOW);
    EXPECT(call_int(handle, "who_am_i") == 1);
    EXPECT(call_int(handle, "only_in_auxiliary") == 4);
    dlclose(handle);
    EXPECT(!module_loaded("libfiltee.so"));
  }
  CHECK("DT_AUXILIARY: without its filtee the module stands alone") {
    handle = dlopen("libauxiliary-missing.so", RTLD_NOW);
    EXPECT(handle != NULL && call_int(handle, "who_am_i") == 5);
    EXPECT(handle != NULL && call_int(handle, "ask_who_am_i") == 5);
  }
  return check_status();
}
