// The parts of the dlfcn family that C libraries and language runtimes live on, in one round trip.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static int count(struct dl_phdr_info* info, size_t size, void* data) {
  (void)size;
  int* counts = data;
  counts[0]++;
  if (info->dlpi_name[0] == 0) counts[1]++;
  if (strstr(info->dlpi_name, "libm.so.6")) counts[2]++;
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_DYNAMIC) counts[3]++;
  return 0;
}

int main(void) {
  int before[4] = {0}, after[4] = {0};
  dl_iterate_phdr(count, before);
  void* handle = dlopen("libm.so.6", RTLD_LAZY);
  double (*cosine)(double) = (double (*)(double))dlsym(handle, "cos");
  dl_iterate_phdr(count, after);
  printf("modules %+d, programs %d, libm %d then %d, all with a PT_DYNAMIC %d\n",
         after[0] - before[0], after[1], before[2], after[2], after[3] == after[0]);
  printf("cos 0 = %.1f\n", cosine(0));
  Dl_info info;
  int found = dladdr((void*)cosine, &info);
  printf("dladdr %d: %s in %s\n", found, found ? info.dli_sname : "",
         strrchr(info.dli_fname, '/') + 1);
  struct link_map* map = NULL;
  dlinfo(handle, RTLD_DI_LINKMAP, &map);
  printf("link_map %s, loaded at dli_fbase %d\n", strrchr(map->l_name, '/') + 1,
         (void*)map->l_addr == info.dli_fbase);
  printf("same handle %d\n", dlopen("libm.so.6", RTLD_LAZY | RTLD_NOLOAD) == handle);
  printf("missing: %s\n", dlopen("libnosuch.so.1", RTLD_LAZY) ? "?" : dlerror());
  printf("missing: %s\n", dlsym(handle, "no_such_symbol") ? "?" : strstr(dlerror(), "undefined"));
  printf("no error left: %d\n", dlerror() == NULL);
  printf("closed %d %d\n", dlclose(handle), dlclose(handle));
}
