// What a debugger reads: the r_debug structure that the program's DT_DEBUG points to, one more for
// each namespace, and the function that is called before and after each change.
#include "../check.h"

static struct r_debug_extended* debugger_entry(void) {
  for (const ElfW(Dyn)* entry = _DYNAMIC; entry->d_tag != DT_NULL; ++entry)
    if (entry->d_tag == DT_DEBUG) return (struct r_debug_extended*)entry->d_un.d_ptr;
  return NULL;
}

static int lists(const struct r_debug_extended* space, const char* name) {
  int count = 0;
  for (struct link_map* map = space->base.r_map; map != NULL; map = map->l_next)
    count += strcmp(last_component(map->l_name), name) == 0;
  return count;
}

static int namespaces(void) {
  int count = 0;
  for (struct r_debug_extended* space = debugger_entry(); space != NULL; space = space->r_next)
    if (space->base.r_map != NULL) ++count;
  return count;
}

int main(void) {
  struct r_debug_extended* entry = debugger_entry();
  if (entry == NULL) give_up("no DT_DEBUG");
  CHECK("the program's list") {
    EXPECT(entry->base.r_version >= 1);
    EXPECT(entry->base.r_state == RT_CONSISTENT);
    EXPECT(entry->base.r_brk != 0);
    EXPECT(entry->base.r_map != NULL && entry->base.r_map->l_name[0] == 0);
    EXPECT(entry->base.r_map != NULL && entry->base.r_map->l_ld == _DYNAMIC);
    EXPECT(lists(entry, "libseen.so") == 0);
  }
  CHECK("dlopen adds to it, dlclose takes away") {
    void* handle = must_open("libseen.so", RTLD_NOW);
    EXPECT(lists(entry, "libseen.so") == 1);
    EXPECT(entry->base.r_state == RT_CONSISTENT);
    dlclose(handle);
    EXPECT(lists(entry, "libseen.so") == 0);
    EXPECT(entry->base.r_state == RT_CONSISTENT);
  }
  CHECK("a namespace has its own, linked from the first") {
    void* handle = dlmopen(LM_ID_NEWLM, "libseen.so", RTLD_NOW);
    if (handle == NULL) give_up("dlmopen: %s", dlerror());
    entry = debugger_entry();
    EXPECT(entry->base.r_version == 2);
    EXPECT(lists(entry, "libseen.so") == 0);
    EXPECT(entry->r_next != NULL && lists(entry->r_next, "libseen.so") == 1);
    EXPECT(entry->r_next != NULL && entry->r_next->base.r_brk == entry->base.r_brk);
    EXPECT(namespaces() == 2);
    void* second = dlmopen(LM_ID_NEWLM, "libseen.so", RTLD_NOW);
    EXPECT(second != NULL && namespaces() == 3);
    EXPECT(second != NULL && dlclose(second) == 0);
    EXPECT(namespaces() == 2);
    EXPECT(dlclose(handle) == 0);
    EXPECT(namespaces() == 1);
  }
  return check_status();
}
