#include "../check.h"
#include <sys/auxv.h>

static int search_path_has(const Dl_serinfo* info, const char* directory) {
  for (unsigned i = 0; i < info->dls_cnt; ++i)
    if (strcmp(info->dls_serpath[i].dls_name, directory) == 0) return 1;
  return 0;
}

int main(void) {
  void* plain = must_open("sub/libplain.so", RTLD_NOW);
  void* tls = must_open("libtls.so", RTLD_NOW);
  void* program = dlopen(NULL, RTLD_NOW);

  CHECK("RTLD_DI_LMID") {
    Lmid_t id = 77;
    EXPECT(dlinfo(plain, RTLD_DI_LMID, &id) == 0 && id == LM_ID_BASE);
  }
  CHECK("RTLD_DI_LINKMAP") {
    struct link_map* map = NULL;
    EXPECT(dlinfo(plain, RTLD_DI_LINKMAP, &map) == 0);
    EXPECT(map != NULL && strcmp(last_component(map->l_name), "libplain.so") == 0);
    EXPECT(map != NULL && memcmp((void*)map->l_addr, ELFMAG, SELFMAG) == 0);
    EXPECT(dlinfo(program, RTLD_DI_LINKMAP, &map) == 0);
    EXPECT(map != NULL && map->l_prev == NULL && map->l_name[0] == 0);
  }
  CHECK("RTLD_DI_ORIGIN") {
    static char origin[PATH_MAX], expected[PATH_MAX];
    EXPECT(dlinfo(plain, RTLD_DI_ORIGIN, origin) == 0);
    snprintf(expected, sizeof expected, "%s/sub", program_directory());
    EXPECT(realpath(origin, origin) != NULL || errno == ENOENT);
    EXPECT(strcmp(origin, expected) == 0);
    EXPECT(dlinfo(program, RTLD_DI_ORIGIN, origin) == 0);
    EXPECT(realpath(origin, expected) != NULL && strcmp(expected, program_directory()) == 0);
  }
  CHECK("RTLD_DI_SERINFOSIZE and RTLD_DI_SERINFO") {
    Dl_serinfo size;
    EXPECT(dlinfo(plain, RTLD_DI_SERINFOSIZE, &size) == 0);
    EXPECT(size.dls_cnt >= 3);
    EXPECT(size.dls_size >= sizeof(Dl_serinfo) + (size.dls_cnt - 1) * sizeof(Dl_serpath));
    Dl_serinfo* info = (Dl_serinfo*)malloc(size.dls_size);
    EXPECT(dlinfo(plain, RTLD_DI_SERINFOSIZE, info) == 0);
    EXPECT(dlinfo(plain, RTLD_DI_SERINFO, info) == 0);
    EXPECT(info->dls_cnt == size.dls_cnt);
    for (unsigned i = 0; i < info->dls_cnt; ++i)
      EXPECT(info->dls_serpath[i].dls_name >= (char*)&info->dls_serpath[info->dls_cnt] &&
             info->dls_serpath[i].dls_name < (char*)info + size.dls_size);
    // LD_LIBRARY_PATH, the module's own RUNPATH and the system's directories, in this order.
    EXPECT(strcmp(info->dls_serpath[0].dls_name, "/from/the/environment") == 0);
    EXPECT(strcmp(info->dls_serpath[1].dls_name, "/from/the/runpath") == 0);
    EXPECT(search_path_has(info, "/usr/lib"));
    free(info);
  }
  CHECK("RTLD_DI_TLS_MODID and RTLD_DI_TLS_DATA") {
    size_t id = 77;
    void* data = &id;
    EXPECT(dlinfo(plain, RTLD_DI_TLS_MODID, &id) == 0 && id == 0);
    EXPECT(dlinfo(plain, RTLD_DI_TLS_DATA, &data) == 0 && data == NULL);
    EXPECT(dlinfo(tls, RTLD_DI_TLS_MODID, &id) == 0 && id != 0);
    // The block may be made at the first access or before.
    char* object = (char*)must_find(tls, "per_thread");
    EXPECT(dlinfo(tls, RTLD_DI_TLS_DATA, &data) == 0);
    EXPECT(data != NULL && object >= (char*)data && object < (char*)data + 64);
  }
  CHECK("RTLD_DI_PHDR") {
    const ElfW(Phdr)* headers = NULL;
    struct link_map* map = module_of(plain);
    int count = dlinfo(plain, RTLD_DI_PHDR, &headers);
    const ElfW(Ehdr)* header = (const ElfW(Ehdr)*)map->l_addr;
    EXPECT(count == header->e_phnum);
    EXPECT(headers != NULL &&
           memcmp(headers, (char*)header + header->e_phoff, (size_t)count * sizeof *headers) == 0);
    EXPECT((const char*)headers == (const char*)header + header->e_phoff);
    EXPECT(dlinfo(program, RTLD_DI_PHDR, &headers) > 0);
    EXPECT(headers == (const ElfW(Phdr)*)getauxval(AT_PHDR));
  }
  CHECK("an unknown request gives -1 and an error") {
    char buffer[64];
    EXPECT(dlinfo(plain, 9999, buffer) == -1);
    EXPECT(error_names("unsupported dlinfo request"));
    EXPECT(dlinfo(plain, RTLD_DI_CONFIGADDR, buffer) == -1);
    EXPECT(error_names("unsupported dlinfo request"));
  }
  return check_status();
}
