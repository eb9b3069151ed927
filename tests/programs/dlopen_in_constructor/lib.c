#include <dlfcn.h>
#include <stddef.h>
extern void note(const char* word);

#if PART == 1  // libinner.so
int inner(void) { return 6; }
__attribute__((constructor)) static void begin(void) { note("+inner"); }
__attribute__((destructor)) static void end(void) { note("-inner"); }
#elif PART == 2   // libouter.so
static void* inner_handle;
__attribute__((constructor)) static void begin(void) {
  note("outer-begins");
  inner_handle = dlopen("libinner.so", RTLD_NOW);
  int (*inner)(void) = inner_handle ? (int (*)(void))dlsym(inner_handle, "inner") : NULL;
  note(inner != NULL && inner() == 6 ? "inner-answers-6" : "inner-is-missing");
  note("outer-ends");
}
__attribute__((destructor)) static void end(void) {
  note("-outer");
  dlclose(inner_handle);
}
#elif PART == 3   // libself.so
int answer(void) { return 5; }
__attribute__((constructor)) static void begin(void) {
  void* handle = dlopen("libself.so", RTLD_NOW);
  int (*found)(void) = handle ? (int (*)(void))dlsym(handle, "answer") : NULL;
  note(found == answer ? "self-found" : "self-is-missing");
  dlclose(handle);
}
#elif PART == 4   // libtries.so
int answer(void) { return 7; }
__attribute__((constructor)) static void begin(void) {
  if (dlopen("no-such-file.so", RTLD_NOW) == NULL) note("tried");
}
#elif PART == 5   // libpromotes.so
__attribute__((constructor)) static void begin(void) {
  void* handle = dlopen("libinner.so", RTLD_NOW);
  void* null = dlopen(NULL, RTLD_NOW);
  if (handle == NULL || dlsym(null, "inner") != NULL) return;
  dlopen("libinner.so", RTLD_NOW | RTLD_GLOBAL);
  if (dlsym(null, "inner") == dlsym(handle, "inner")) note("promoted");
  dlclose(handle);
  dlclose(handle);
}
#elif PART == 6   // liblate.so
__attribute__((destructor)) static void end(void) {
  note("late-begins-to-end");
  void* handle = dlopen("libinner.so", RTLD_NOW);
  if (handle != NULL) dlclose(handle);
  note("late-ends");
}
#elif PART == 7   // libat-start.so
__attribute__((constructor)) static void begin(void) {
  if (dlopen("libat-start-opened.so", RTLD_NOW) == NULL) __builtin_trap();
}
int at_start(void) { return 1; }
#elif PART == 8   // libat-start-opened.so
static int value;
__attribute__((constructor)) static void begin(void) { value = 8; }
int answer(void) { return value; }
#elif PART == 9   // liblower.so, which libupper.so needs
__attribute__((constructor)) static void begin(void) {
  note("lower-begins");
  void* upper = dlopen("libupper.so", RTLD_NOW);
  note(upper != NULL ? "upper-found" : "upper-is-missing");
  if (upper != NULL) dlclose(upper);
  note("lower-ends");
}
int lower(void) { return 9; }
#elif PART == 10  // libupper.so
extern int lower(void);
__attribute__((constructor)) static void begin(void) { note(lower() == 9 ? "+upper" : "?"); }
#endif
