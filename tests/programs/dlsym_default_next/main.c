// `chain` is defined by the program (1) and the libraries it was linked with, libfirst.so (2) and
// libsecond.so (3); and by the libraries of a group that is opened local: libgroup.so (4) needs
// libgroup-a.so (5), libgroup-b.so (6).  Each library's next_chain() asks dlsym(RTLD_NEXT).
#include "../check.h"
#include <malloc.h>

int chain(void) { return 1; }
extern int next_chain_first(void), next_chain_second(void), default_chain_first(void);

// The program's malloc: it counts and passes on to the real one.
static volatile int malloc_calls;  // the compiler may think that strdup cannot change it
static void* (*real_malloc)(size_t);
void* malloc(size_t size) {
  if (real_malloc == NULL) real_malloc = (void* (*)(size_t))dlsym(RTLD_NEXT, "malloc");
  ++malloc_calls;
  return real_malloc(size);
}

int main(void) {
  int (*next)(void) = NULL;
  void* group = must_open("libgroup.so", RTLD_NOW | RTLD_LOCAL);

  CHECK("S38 RTLD_DEFAULT finds what a reference of the calling module finds") {
    EXPECT(call_int(RTLD_DEFAULT, "chain") == 1);
    EXPECT(dlsym(RTLD_DEFAULT, "chain") == (void*)chain);
    EXPECT(default_chain_first() == 1);
    // The group is local: its members find each other, the program does not find them.
    EXPECT(dlsym(RTLD_DEFAULT, "only_in_group_b") == NULL);
    EXPECT(call_int(group, "default_only_in_group_b") == 6);
    EXPECT(call_int(group, "direct_only_in_group_b") == 6);
    EXPECT(call_int(group, "default_chain_group") == 1);
  }
  CHECK("S39 RTLD_NEXT finds the definition after the calling module") {
    next = (int (*)(void))dlsym(RTLD_NEXT, "chain");
    EXPECT(next != NULL && next() == 2);
    EXPECT(next_chain_first() == 3);
    // Within the local group: libgroup.so, libgroup-a.so, libgroup-b.so, in that order.
    EXPECT(call_int(group, "next_chain_group") == 5);
    EXPECT(call_int(group, "next_chain_group_a") == 6);
  }
  CHECK("S39 a library that was opened global finds what it needs after itself too") {
    // The C library's fclose is before it in the global scope, and after it in its own group.
    void* wraps = must_open("libwraps.so", RTLD_NOW | RTLD_GLOBAL);
    void* (*next_fclose)(void) = (void* (*)(void))dlsym(wraps, "next_fclose");
    EXPECT(next_fclose != NULL && next_fclose() == dlsym(RTLD_DEFAULT, "fclose"));
    dlclose(wraps);
  }
  CHECK("S40 after the last definition there is null and an error") {
    EXPECT(next_chain_second() == -1);
    EXPECT(error_names("undefined symbol: chain"));
    EXPECT(call_int(group, "next_chain_group_b") == -1);
    EXPECT(error_names("undefined symbol: chain"));
  }
  CHECK("S40 an interposed malloc reaches the real one") {
    int before = malloc_calls;
    char* text = strdup("allocated by the libc for us");
    EXPECT(malloc_calls == before + 1);
    EXPECT(text != NULL && malloc_usable_size(text) >= 29);
    free(text);
    EXPECT((void*)real_malloc != (void*)malloc);
  }
  return check_status();
}
