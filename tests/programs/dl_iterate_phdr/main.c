#include "../check.h"

struct view {
  int calls, found;
  unsigned long long adds, subs;
  size_t size, tls_modid;
  void* tls_data;
  uintptr_t addr;
  const ElfW(Phdr) * headers;
  int header_count;
  int all_have_a_load_segment, first_is_program;
};

static int look(struct dl_phdr_info* info, size_t size, void* data) {
  struct view* view = (struct view*)data;
  if (view->calls++ == 0) view->first_is_program = info->dlpi_name[0] == 0;
  view->size = size;
  view->adds = info->dlpi_adds;
  view->subs = info->dlpi_subs;
  int loads = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) loads += info->dlpi_phdr[i].p_type == PT_LOAD;
  if (loads == 0) view->all_have_a_load_segment = 0;
  if (strcmp(last_component(info->dlpi_name), "libseen.so") == 0) {
    ++view->found;
    view->addr = info->dlpi_addr;
    view->headers = info->dlpi_phdr;
    view->header_count = info->dlpi_phnum;
    view->tls_modid = info->dlpi_tls_modid;
    view->tls_data = info->dlpi_tls_data;
  }
  return 0;
}

static struct view look_around(void) {
  struct view view = {.all_have_a_load_segment = 1};
  if (dl_iterate_phdr(look, &view) != 0) give_up("dl_iterate_phdr");
  return view;
}

static int stop_at_third(struct dl_phdr_info* info, size_t size, void* data) {
  (void)info, (void)size;
  return ++*(int*)data == 3 ? 42 : 0;
}

// The number of elements in the module list of the debugger's interface.
static int modules(void) {
  int count = 0;
  for (struct link_map* map = first_module(dlopen(NULL, RTLD_NOW)); map != NULL; map = map->l_next)
    ++count;
  return count;
}

int main(void) {
  struct view before = look_around(), during, after;
  CHECK("every module is reported once, the program first") {
    EXPECT(before.first_is_program);
    EXPECT(before.all_have_a_load_segment);
    EXPECT(before.found == 0);
    EXPECT(before.size == sizeof(struct dl_phdr_info));
    EXPECT(before.calls == modules());
    EXPECT(before.adds - before.subs == (unsigned long long)before.calls);
  }
  void* handle = must_open("libseen.so", RTLD_NOW);
  CHECK("an opened module is reported with its headers and its place") {
    during = look_around();
    struct link_map* map = module_of(handle);
    EXPECT(during.found == 1);
    EXPECT(during.addr == map->l_addr);
    const ElfW(Ehdr)* header = (const ElfW(Ehdr)*)map->l_addr;
    EXPECT(during.header_count == header->e_phnum);
    EXPECT(memcmp(during.headers, (char*)header + header->e_phoff,
                  header->e_phnum * sizeof(ElfW(Phdr))) == 0);
  }
  CHECK("and counted: additions and removals") {
    EXPECT(during.calls == before.calls + 2);  // with its dependency
    EXPECT(during.adds == before.adds + 2);
    EXPECT(during.subs == before.subs);
  }
  CHECK("with its TLS module ID and the thread's block") {
    size_t id = 0;
    EXPECT(dlinfo(handle, RTLD_DI_TLS_MODID, &id) == 0);
    EXPECT(during.tls_modid == id && id != 0);
    int* object = ((int* (*)(void))must_find(handle, "address"))();
    during = look_around();
    EXPECT(during.tls_data != NULL && *object == 5);
    EXPECT((char*)object >= (char*)during.tls_data);
    EXPECT((char*)object < (char*)during.tls_data + 200064);
  }
  CHECK("dlclose takes it away and counts it") {
    dlclose(handle);
    after = look_around();
    EXPECT(after.found == 0);
    EXPECT(after.calls == before.calls);
    EXPECT(after.adds == before.adds + 2);
    EXPECT(after.subs == before.subs + 2);
  }
  CHECK("a callback's result other than zero ends the walk and is the result") {
    int calls = 0;
    EXPECT(dl_iterate_phdr(stop_at_third, &calls) == 42);
    EXPECT(calls == 3);
  }
  return check_status();
}
