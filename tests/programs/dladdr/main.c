#include "../check.h"

int program_function(void) { return 1; }
static int static_function(void) { return 2; }

int main(void) {
  Dl_info info;
  void* handle = must_open("libplaces.so", RTLD_NOW);
  char* function = (char*)must_find(handle, "function");
  char* object = (char*)must_find(handle, "object");
  struct link_map* map = module_of(handle);

  CHECK("dladdr names the module, its load address and the symbol") {
    EXPECT(dladdr(function, &info) != 0);
    EXPECT(strcmp(last_component(info.dli_fname), "libplaces.so") == 0);
    EXPECT(info.dli_fbase == (void*)map->l_addr);
    EXPECT(memcmp(info.dli_fbase, ELFMAG, SELFMAG) == 0);
    EXPECT(info.dli_sname != NULL && strcmp(info.dli_sname, "function") == 0);
    EXPECT(info.dli_saddr == function);
  }
  CHECK("dladdr of an address inside a symbol") {
    EXPECT(dladdr(object + 40, &info) != 0);
    EXPECT(info.dli_sname != NULL && strcmp(info.dli_sname, "object") == 0);
    EXPECT(info.dli_saddr == object);
    EXPECT(dladdr(function + 1, &info) != 0);
    EXPECT(info.dli_saddr == function);
  }
  CHECK("dladdr of an address that no exported symbol covers names the module only") {
    EXPECT(dladdr(object + 100, &info) != 0);
    EXPECT(strcmp(last_component(info.dli_fname), "libplaces.so") == 0);
    EXPECT(info.dli_sname == NULL && info.dli_saddr == NULL);
  }
  CHECK("dladdr of the program's exported and static functions") {
    EXPECT(dladdr((void*)program_function, &info) != 0);
    EXPECT(info.dli_sname != NULL && strcmp(info.dli_sname, "program_function") == 0);
    EXPECT(strcmp(last_component(info.dli_fname), "main") == 0);
    EXPECT(dladdr((void*)static_function, &info) != 0);
    EXPECT(info.dli_sname == NULL || strcmp(info.dli_sname, "static_function") != 0);
  }
  CHECK("dladdr of an address in no module gives 0 and no error") {
    (void)dlerror();
    int on_the_stack = 0;
    EXPECT(dladdr(&on_the_stack, &info) == 0);
    EXPECT(dladdr(NULL, &info) == 0);
    EXPECT(dlerror() == NULL);
  }
  CHECK("dladdr1 with RTLD_DL_SYMENT gives the symbol's table entry") {
    const ElfW(Sym)* symbol = NULL;
    EXPECT(dladdr1(object + 8, &info, (void**)&symbol, RTLD_DL_SYMENT) != 0);
    EXPECT(symbol != NULL);
    EXPECT(symbol != NULL && map->l_addr + symbol->st_value == (uintptr_t)object);
    EXPECT(symbol != NULL && symbol->st_size == 64);
    EXPECT(symbol != NULL && ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT);
    EXPECT(info.dli_saddr == object);
    EXPECT(dladdr1(object + 100, &info, (void**)&symbol, RTLD_DL_SYMENT) != 0);
    EXPECT(symbol == NULL);
  }
  CHECK("dladdr1 with RTLD_DL_LINKMAP gives the module") {
    struct link_map* found = NULL;
    EXPECT(dladdr1(function, &info, (void**)&found, RTLD_DL_LINKMAP) != 0);
    EXPECT(found == map);
    EXPECT(dladdr1((void*)program_function, &info, (void**)&found, RTLD_DL_LINKMAP) != 0);
    EXPECT(found == first_module(handle));
  }
  CHECK("after dlclose the address is in no module") {
    dlclose(handle);
    EXPECT(dladdr(function, &info) == 0);
  }
  return check_status() + (static_function() == 2 ? 0 : 1);
}
