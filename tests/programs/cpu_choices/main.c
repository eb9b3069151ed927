// Which of libc's and libm's variants the IFUNC resolvers chose, as offsets in their files; what
// sysconf and getauxval say of the processor; and whether malloc heard of its tunable.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <gnu/lib-names.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

static const char* const in_libc[] = {
    "memchr",    "memcmp",  "memcpy",  "memmove",      "mempcpy",     "memrchr", "memset",
    "rawmemchr", "stpcpy",  "stpncpy", "strcasecmp",   "strcat",      "strchr",  "strchrnul",
    "strcmp",    "strcpy",  "strcspn", "strlen",       "strncasecmp", "strncat", "strncmp",
    "strncpy",   "strnlen", "strpbrk", "strrchr",      "strspn",      "strstr",  "wcschr",
    "wcscmp",    "wcscpy",  "wcslen",  "wcsncmp",      "wcsnlen",     "wcsrchr", "wmemchr",
    "wmemcmp",   "wmemset", "time",    "gettimeofday", "bcmp",        "bcopy",   "bzero"};
static const char* const in_libm[] = {"atan",  "atan2",   "ceil",      "cos", "cosf", "exp",
                                      "exp2f", "expf",    "floor",     "fma", "fmaf", "log",
                                      "log2f", "logf",    "nearbyint", "pow", "powf", "rint",
                                      "sin",   "sincosf", "sinf",      "tan", "trunc"};

static void print_choice(void* library, const char* name) {
  void* at = dlsym(library, name);
  Dl_info where;
  if (at == NULL || dladdr(at, &where) == 0) {
    printf("%s -\n", name);
    return;
  }
  const char* file = strrchr(where.dli_fname, '/');
  if (file == NULL)  // the vDSO: no file, and the kernel's business
    printf("%s %s\n", name, where.dli_fname);
  else
    printf("%s %s %#lx\n", name, file + 1, (unsigned long)((char*)at - (char*)where.dli_fbase));
}

int main(void) {
  void* libm = dlopen(LIBM_SO, RTLD_NOW);
  if (libm == NULL) return 1;
  for (size_t i = 0; i < sizeof in_libc / sizeof *in_libc; ++i)
    print_choice(RTLD_DEFAULT, in_libc[i]);
  for (size_t i = 0; i < sizeof in_libm / sizeof *in_libm; ++i) print_choice(libm, in_libm[i]);
  for (int name = _SC_LEVEL1_ICACHE_SIZE; name <= _SC_LEVEL4_CACHE_LINESIZE; ++name)
    printf("sysconf %d %ld\n", name - _SC_LEVEL1_ICACHE_SIZE, sysconf(name));
  printf("hwcap %#lx, hwcap2 %#lx, platform %s\n", getauxval(AT_HWCAP), getauxval(AT_HWCAP2),
         (const char*)getauxval(AT_PLATFORM));
  printf("minsigstksz %ld, sigstksz %ld\n", sysconf(_SC_MINSIGSTKSZ), sysconf(_SC_SIGSTKSZ));
  unsigned char* fresh = malloc(100000);
  printf("malloc gives %#x\n", fresh[50000]);
  return 0;
}
