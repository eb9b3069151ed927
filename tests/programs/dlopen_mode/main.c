#include "../check.h"

int reached_before, reached_after;

// How many PLT slots of a module are not bound yet, that is, point into the module itself.
static int unbound_slots(void* handle) {
  struct link_map* map = module_of(handle);
  uintptr_t relocations = 0, bytes = 0, low = (uintptr_t)map->l_addr;
  for (const ElfW(Dyn)* entry = map->l_ld; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_JMPREL) relocations = entry->d_un.d_ptr;
    if (entry->d_tag == DT_PLTRELSZ) bytes = entry->d_un.d_val;
  }
  if (relocations < low) relocations += low;  // some loaders relocate this field in place
  const ElfW(Ehdr)* header = (const ElfW(Ehdr)*)low;
  const ElfW(Phdr)* segments = (const ElfW(Phdr)*)(low + header->e_phoff);
  uintptr_t size = 0;
  for (int i = 0; i < header->e_phnum; ++i)
    if (segments[i].p_type == PT_LOAD && segments[i].p_vaddr + segments[i].p_memsz > size)
      size = segments[i].p_vaddr + segments[i].p_memsz;
  int unbound = 0;
  const ElfW(Rela)* relocation = (const ElfW(Rela)*)relocations;
  for (size_t i = 0; i < bytes / sizeof *relocation; ++i) {
    uintptr_t target = *(uintptr_t*)(low + relocation[i].r_offset);
    if (target >= low && target < low + size) ++unbound;
  }
  return unbound;
}

static void call_missing_function(void* data) {
  (void)data;
  void* handle = must_open("libno-function.so", RTLD_LAZY);
  puts("before");
  fflush(stdout);
  call_int(handle, "call_missing_function");
  puts("after");
}

int main(void) {
  static char output[4096];
  CHECK("S13 RTLD_NOW binds everything, or fails") {
    EXPECT(dlopen("libno-function.so", RTLD_NOW) == NULL);
    EXPECT(error_names("undefined symbol: missing_function"));
    EXPECT(dlopen("libno-function.so", RTLD_NOW) == NULL);
    EXPECT(error_names("libno-function.so"));
    EXPECT(!module_loaded("libno-function.so"));
    void* handle = must_open("libgetpid.so", RTLD_NOW);
    EXPECT(unbound_slots(handle) == 0);
    dlclose(handle);
    EXPECT(!module_loaded("libgetpid.so"));
  }
  CHECK("S14 RTLD_LAZY may leave functions unbound, never data") {
    void* handle = dlopen("libno-function.so", RTLD_LAZY);
    EXPECT(handle != NULL);
    EXPECT(handle != NULL && call_int(handle, "call_nothing") == 4);
    if (handle != NULL) dlclose(handle);
    EXPECT(dlopen("libno-object.so", RTLD_LAZY) == NULL);
    EXPECT(error_names("undefined symbol: missing_object"));
  }
  CHECK("S15 the first call of an unresolved function ends the process and says why") {
    int status = in_child(call_missing_function, NULL, output, sizeof output);
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 127);
    EXPECT(strncmp(output, "before\n", 7) == 0);
    EXPECT(strstr(output, "after") == NULL);
    EXPECT(strstr(output, "undefined symbol: missing_function") != NULL);
    EXPECT(strstr(output, "libno-function.so") != NULL);
  }
  // Whether this holds differs between loaders; the line says which.
  {
    void* lazy = must_open("libgetpid.so", RTLD_LAZY);
    if (unbound_slots(lazy) == 0) give_up("libgetpid.so has no lazy slots");
    void* now = dlopen("libgetpid.so", RTLD_NOW);
    printf("S16 RTLD_NOW completes what RTLD_LAZY left: %s\n",
           now == lazy && unbound_slots(lazy) == 0 ? "ok" : "not done");
    if (call_int(lazy, "call_getpid") != getpid()) give_up("libgetpid.so");
    int unbound = unbound_slots(lazy);
    if (unbound_slots(must_open("libgetpid.so", RTLD_LAZY)) != unbound) give_up("unbound again");
  }
  {
    void* lazy = must_open("libno-function.so", RTLD_LAZY);
    void* now = dlopen("libno-function.so", RTLD_NOW);
    printf("S16 RTLD_NOW fails if that cannot be done: %s\n",
           now == NULL && error_names("missing_function") ? "ok" : "not noticed");
    if (now != NULL) dlclose(now);
    if (call_int(lazy, "call_nothing") != 4) give_up("libno-function.so");
    dlclose(lazy);
    if (module_loaded("libno-function.so")) give_up("libno-function.so stays");
  }
  CHECK("S17 the mode counts at each call, whatever is loaded already") {
    void* handle = must_open("libgetpid.so", RTLD_LAZY | RTLD_LOCAL);
    EXPECT(dlsym(RTLD_DEFAULT, "call_getpid") == NULL);
    EXPECT(dlopen("libgetpid.so", 0) == NULL);
    EXPECT(error_names("invalid mode"));
    EXPECT(dlopen("libgetpid.so", RTLD_NOLOAD) == NULL);
    EXPECT(error_names("invalid mode"));
    // RTLD_NOLOAD finds what is loaded, adds a reference, and takes other flags into account.
    EXPECT(dlopen("libgetpid.so", RTLD_LAZY | RTLD_NOLOAD) == handle);
    EXPECT(dlopen("libgetpid.so", RTLD_LAZY | RTLD_NOLOAD | RTLD_GLOBAL) == handle);
    EXPECT(dlsym(RTLD_DEFAULT, "call_getpid") != NULL);
    // It loads nothing, and that is no error.
    (void)dlerror();
    EXPECT(dlopen("libno-object.so", RTLD_LAZY | RTLD_NOLOAD) == NULL);
    EXPECT(dlerror() == NULL);
  }
  CHECK("S26 neither RTLD_LAZY nor RTLD_NOW is an invalid mode") {
    EXPECT(dlopen("libgetpid.so", 0) == NULL);
    EXPECT(error_names("invalid mode for dlopen(): Invalid argument"));
    EXPECT(dlopen("libgetpid.so", RTLD_GLOBAL) == NULL);
    EXPECT(error_names("invalid mode"));
    EXPECT(dlopen("no-such-file.so", RTLD_GLOBAL) == NULL);
    EXPECT(error_names("invalid mode"));
    EXPECT(dlopen(NULL, 0) == NULL);
    EXPECT(error_names("invalid mode"));
  }
  return check_status();
}
