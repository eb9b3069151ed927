// What dlopen makes of names and modes that are none, or odd: the same result under every loader,
// and a text for each failure.
#include "../check.h"

static void opening(const char* name, int mode) {
  void* handle = dlopen(name, mode);
  const char* text = dlerror();
  const char* what = name == NULL ? "NULL" : name;
  printf("dlopen(%.40s%s, %#x): %s%s\n", what, strlen(what) > 40 ? "..." : "", mode,
         handle != NULL ? "a handle" : "null", (handle == NULL) == (text != NULL) ? "" : ", WRONG");
}

static void looking(void* handle, const char* whose, const char* name, const char* version) {
  void* address = version != NULL ? dlvsym(handle, name, version) : dlsym(handle, name);
  const char* text = dlerror();
  printf("%s: %s %s: %s, %s\n", whose, name, version != NULL ? version : "",
         address != NULL ? "an address" : "null",
         text == NULL                ? "no text"
         : strchr(text, ' ') == NULL ? "?"
                                     : strstr(text, ": undefined"));
}

static char long_path[9000], long_name[400];

int main(void) {
  memset(long_path, 'a', sizeof long_path - 1);
  memset(long_name, 'b', sizeof long_name - 1);
  long_path[0] = '/';
  const char* names[] = {"",
                         ".",
                         "/",
                         "./",
                         "..",
                         "$XXX",
                         "$XXX/a.so",
                         "${ORIGIN",
                         "$ORIGIN",
                         "${ORIGIN}",
                         "$ORIGIN/libgood.so",
                         "${ORIGIN}/libgood.so",
                         "$ORIGINX/libgood.so",
                         "$LIB/x.so",
                         "/$LIB/x.so",
                         "$PLATFORM/x.so",
                         "$",
                         "/$",
                         "a$",
                         "./other",
                         "./no-pie",
                         "./libgood.debug",
                         "./good.o",
                         "./libgood.a",
                         "./script",
                         "/dev/null",
                         "./empty",
                         "nothing.so",
                         "./nothing.so",
                         "./libgood.so/x",
                         "./loop",
                         "libgood.so:",
                         "libgood.so ",
                         long_path,
                         long_name};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i) opening(names[i], RTLD_NOW);
  const int modes[] = {0,
                       RTLD_GLOBAL,
                       RTLD_NOW | RTLD_LAZY,
                       RTLD_NOLOAD,
                       RTLD_NOW | RTLD_NOLOAD,
                       RTLD_NOW | 0x200,
                       RTLD_NOW | 0x10000000,
                       -1,
                       RTLD_NODELETE,
                       RTLD_DEEPBIND};
  for (size_t i = 0; i < sizeof modes / sizeof *modes; ++i) {
    opening("./libgood.so", modes[i]);
    opening(NULL, modes[i]);
  }
  void* good = must_open("./libgood.so", RTLD_NOW);
  looking(good, "the library", "good", NULL);
  looking(good, "the library", "good", "V1");
  looking(good, "the library", "good", "V2");
  looking(good, "the library", "good", "V3");
  looking(good, "the library", "V1", NULL);
  looking(good, "the library", "bad", NULL);
  looking(good, "the library", "bad", "V1");
  looking(good, "the library", "", NULL);
  looking(RTLD_DEFAULT, "everything", "bad", NULL);
  looking(RTLD_DEFAULT, "everything", "", NULL);
  looking(RTLD_DEFAULT, "everything", "malloc", "GLIBC_99");
  looking(RTLD_NEXT, "what follows", "bad", NULL);
  looking(RTLD_NEXT, "what follows", "main", NULL);
  looking(RTLD_NEXT, "what follows", "malloc", NULL);
  return 0;
}
