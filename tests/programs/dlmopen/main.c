// libspace.so has a counter, and asks the libc that it is bound to for memory and for addresses.
#include "../check.h"

static int counter_of(void* handle) { return call_int(handle, "increment"); }

static Lmid_t space_of(void* handle) {
  Lmid_t id = -77;
  if (dlinfo(handle, RTLD_DI_LMID, &id) != 0) give_up("RTLD_DI_LMID: %s", dlerror());
  return id;
}

static void* address_of(void* handle, const char* function) {
  return ((void* (*)(void))must_find(handle, function))();
}

int in_program(void) { return 1; }

int main(void) {
  void* base = must_open("libspace.so", RTLD_NOW);
  void* first = dlmopen(LM_ID_NEWLM, "libspace.so", RTLD_NOW);
  if (first == NULL) give_up("dlmopen: %s", dlerror());
  void* second = dlmopen(LM_ID_NEWLM, "libspace.so", RTLD_NOW);
  if (second == NULL) give_up("dlmopen: %s", dlerror());

  CHECK("a new namespace has its own copy of the module") {
    EXPECT(first != base && second != base && first != second);
    EXPECT(counter_of(base) == 1 && counter_of(base) == 2);
    EXPECT(counter_of(first) == 1);
    EXPECT(counter_of(second) == 1);
    EXPECT(counter_of(base) == 3);
  }
  CHECK("and its own libc, with its own state") {
    EXPECT(address_of(base, "address_of_malloc") == (void*)malloc);
    EXPECT(address_of(first, "address_of_malloc") != (void*)malloc);
    EXPECT(address_of(first, "address_of_malloc") != address_of(second, "address_of_malloc"));
    EXPECT(address_of(first, "address_of_stdout") != (void*)stdout);
    EXPECT(address_of(first, "address_of_environ") != (void*)&environ);
    EXPECT(call_int(first, "allocate_and_format") == 1);
    EXPECT(call_int(second, "allocate_and_format") == 1);
    // The environment is the same block, until somebody changes it.
    EXPECT(setenv("ONLY_IN_BASE", "yes", 1) == 0);
    EXPECT(call_int(base, "sees_only_in_base") == 1);
    EXPECT(call_int(first, "sees_only_in_base") == 0);
  }
  CHECK("errno is the thread's, and one for all") {
    errno = 0;
    EXPECT(call_int(first, "fail_with_ebadf") == -1);
    EXPECT(call_int(first, "read_errno") == EBADF);
  }
  CHECK("RTLD_DI_LMID names the namespaces") {
    EXPECT(space_of(base) == LM_ID_BASE);
    EXPECT(space_of(first) != LM_ID_BASE && space_of(second) != LM_ID_BASE);
    EXPECT(space_of(first) != space_of(second));
  }
  CHECK("an existing namespace can be opened into") {
    EXPECT(dlmopen(space_of(first), "libspace.so", RTLD_NOW) == first);
    EXPECT(dlclose(first) == 0);
    void* other = dlmopen(space_of(first), "libother.so", RTLD_NOW);
    EXPECT(other != NULL && space_of(other) == space_of(first));
    // Its dependency is the copy of that namespace.
    EXPECT(other != NULL && call_int(other, "increment_space") == 2);
    EXPECT(counter_of(first) == 3);
    EXPECT(dlclose(other) == 0);
    EXPECT(dlmopen(LM_ID_BASE, "libspace.so", RTLD_NOW) == base);
    EXPECT(dlclose(base) == 0);
  }
  CHECK("a namespace sees none of the others' symbols") {
    EXPECT(dlsym(first, "in_program") == NULL);
    EXPECT(call_int(base, "default_in_program") == 1);
    EXPECT(call_int(first, "default_in_program") == 0);
    EXPECT(dlmopen(LM_ID_NEWLM, "libneeds-program.so", RTLD_NOW) == NULL);
    EXPECT(error_names("undefined symbol: in_program"));
  }
  CHECK("dlopen by a module opens into the module's namespace") {
    void* opened = address_of(first, "open_other");
    EXPECT(opened != NULL && space_of(opened) == space_of(first));
    EXPECT(opened != NULL && dlclose(opened) == 0);
    opened = address_of(base, "open_other");
    EXPECT(opened != NULL && space_of(opened) == LM_ID_BASE);
    EXPECT(opened != NULL && dlclose(opened) == 0);
  }
  CHECK("an error is the libc's that asked") {
    EXPECT(call_int(first, "fail_to_open") == 1);
    EXPECT(dlerror() == NULL);
    EXPECT(call_int(first, "error_is_there") == 1);
  }
  CHECK("each namespace has its own module list") {
    int count = 0;
    struct link_map* map = module_of(first);
    while (map->l_prev != NULL) map = map->l_prev;
    EXPECT(map != first_module(base));
    for (; map != NULL; map = map->l_next) {
      EXPECT(strcmp(last_component(map->l_name), "main") != 0);
      ++count;
    }
    EXPECT(count >= 2);
    // dl_iterate_phdr reports the caller's.
    EXPECT(module_count("libspace.so") == 1);
  }
  CHECK("what cannot be") {
    EXPECT(dlmopen(12345, "libspace.so", RTLD_NOW) == NULL);
    EXPECT(error_names("invalid target namespace in dlmopen()"));
    EXPECT(dlmopen(LM_ID_NEWLM, NULL, RTLD_NOW) == NULL);
    EXPECT(dlerror() != NULL);
    EXPECT(dlmopen(LM_ID_NEWLM, "no-such-file.so", RTLD_NOW) == NULL);
    EXPECT(error_names("no-such-file.so: cannot open shared object file"));
  }
  CHECK("an emptied namespace is gone, and a new one is new") {
    Lmid_t id = space_of(second);
    EXPECT(dlclose(second) == 0);
    EXPECT(dlmopen(id, "libspace.so", RTLD_NOW) == NULL);
    EXPECT(error_names("invalid target namespace"));
    second = dlmopen(LM_ID_NEWLM, "libspace.so", RTLD_NOW);
    EXPECT(second != NULL && counter_of(second) == 1);
    EXPECT(dlclose(second) == 0 && dlclose(first) == 0);
  }
  return check_status();
}
