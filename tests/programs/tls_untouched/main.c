#include "../check.h"

int needed(int at);

static long resident_mebibytes(void) {
  long all = 0, resident = 0;
  FILE* f = fopen("/proc/self/statm", "r");
  if (f == NULL || fscanf(f, "%ld %ld", &all, &resident) != 2) give_up("no /proc/self/statm");
  fclose(f);
  return resident * sysconf(_SC_PAGESIZE) >> 20;
}

static void tell(const char* what, int holds) { printf("%s: %s\n", what, holds ? "ok" : "no"); }

int main(void) {
  const long few = 64;
  tell("right values at the start", needed(1 << 20) == 7);
  tell("nothing resident at the start", resident_mebibytes() < few);
  long before = resident_mebibytes();
  void* handle = must_open(beside_program("libopened.so"), RTLD_NOW);
  int (*opened)(int) = (int (*)(int))must_find(handle, "opened");
  tell("right values in dlopen", opened(1 << 20) == 7);
  tell("nothing resident in dlopen", resident_mebibytes() - before < few);
  return 0;
}
