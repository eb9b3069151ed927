// A copy of this program with the set-user-ID bit, run by somebody else with an environment that
// tries to steer the loader. Needs root, to make the copy.
#include "../check.h"
#include <grp.h>
#include <sys/auxv.h>

extern char** environ;
static const uid_t kNobody = 65534;

static void result(const char* what, int holds) {
  printf("%s: %s\n", what, holds ? "ok" : "no");
  fflush(stdout);
}

// ---- what the copy with privileges says of itself

static const char* const kUnsafe[] = {
    "LD_PRELOAD",      "LD_LIBRARY_PATH", "LD_AUDIT",       "LD_DEBUG",
    "LD_BIND_NOW",     "LD_ORIGIN_PATH",  "LD_PROFILE",     "LD_SHOW_AUXV",
    "LD_DYNAMIC_WEAK", "LD_MADE_UP",      "GLIBC_TUNABLES", "MALLOC_TRACE",
    "GCONV_PATH",      "LOCPATH",         "TMPDIR",         "RES_OPTIONS"};
enum { kUnsafeCount = sizeof kUnsafe / sizeof kUnsafe[0] };

static void tell(void) {
  printf("secure %d %d\n", getauxval(AT_SECURE) != 0, secure_getenv("HARMLESS") == NULL);
  int unsafe = 0, harmless = 0;
  for (char** e = environ; *e != NULL; ++e) {
    for (int i = 0; i < kUnsafeCount; ++i)
      if (strncmp(*e, kUnsafe[i], strlen(kUnsafe[i])) == 0) ++unsafe;
    if (strncmp(*e, "HARMLESS", 8) == 0) ++harmless;
  }
  printf("unsafe %d harmless %d\n", unsafe, harmless);
  printf("preloaded %d\n", module_loaded("libevil.so"));
  printf("descriptors %d %d %d\n", fcntl(0, F_GETFD) >= 0, fcntl(2, F_GETFD) >= 0,
         open("/dev/null", O_RDONLY) > 2);
  printf("origin %d\n", dlopen("$ORIGIN/liborigin.so", RTLD_NOW) == NULL);
  printf("searched %d\n", dlopen("libevil.so", RTLD_NOW) == NULL);
  printf("relative %d\n", dlopen("librelative.so", RTLD_NOW) == NULL);
}

// ---- the runs

struct run {
  const char* program;
  char** environment;
  int close_descriptors;
};

static void run_it(void* data) {
  const struct run* run = data;
  if (run->close_descriptors) {
    close(0);
    close(2);
  }
  if (chdir(scratch_directory()) != 0 || setgroups(0, NULL) != 0 || setgid(kNobody) != 0 ||
      setuid(kNobody) != 0)
    _exit(97);
  char* argv[] = {(char*)run->program, (char*)"tell", NULL};
  execve(run->program, argv, run->environment);
  _exit(98);
}

static char output_[4096];
static int run(const char* program, char** environment, int close_descriptors) {
  struct run it = {program, environment, close_descriptors};
  return in_child(run_it, &it, output_, sizeof output_);
}
static int says(const char* line) { return strstr(output_, line) != NULL; }

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "tell") == 0) {
    tell();
    return 0;
  }
  if (geteuid() != 0) give_up("only root can make a set-user-ID copy");
  chmod(scratch_directory(), 0755);
  mkdir(in_scratch("evil"), 0755);
  chmod(in_scratch("evil"), 0755);
  copy_file(beside_program("libevil.so"), in_scratch("evil/libevil.so"));
  copy_file(beside_program("libevil.so"), in_scratch("liborigin.so"));
  copy_file(beside_program("libevil.so"), in_scratch("librelative.so"));
  const char* plain = in_scratch("plain");
  const char* suid = in_scratch("suid");
  copy_file(beside_program("plain"), plain);
  copy_file(beside_program("plain"), suid);
  if (chmod(suid, 04755) != 0) give_up("chmod");

  static char entries[kUnsafeCount * 2 + 4][PATH_MAX];
  char* environment[kUnsafeCount * 2 + 5];
  int n = 0;
  for (int i = 0; i < kUnsafeCount; ++i) {
    const char* value = strcmp(kUnsafe[i], "LD_LIBRARY_PATH") == 0 ? in_scratch("evil")
                        : strcmp(kUnsafe[i], "LD_PRELOAD") == 0    ? in_scratch("evil/libevil.so")
                        : strcmp(kUnsafe[i], "LD_AUDIT") == 0      ? in_scratch("evil/libevil.so")
                        : strcmp(kUnsafe[i], "GLIBC_TUNABLES") == 0
                            ? "glibc.malloc.mxfast=glibc.malloc.mxfast=AAAAAAAAAAAAAAAAAA"
                            : "all";
    // Each twice, and an entry without '=' in between.
    snprintf(entries[n], PATH_MAX, "%s=%s", kUnsafe[i], value);
    environment[n] = entries[n];
    ++n;
    if (i == 0) environment[n++] = (char*)"LD_NOTHING";
    snprintf(entries[n], PATH_MAX, "%s=%s", kUnsafe[i], value);
    environment[n] = entries[n];
    ++n;
  }
  environment[n++] = (char*)"HARMLESS=1";
  environment[n] = NULL;

  int status = run(suid, environment, 0);
  int started = status == 0;
  result("R01 a set-user-ID program is known as one, by libc too", started && says("secure 1 1"));
  result("R02 no variable of the loader acts",
         started && says("preloaded 0") && says("searched 1"));
  result("R03 the unsafe variables are gone, every copy of them, and no other",
         started && says("unsafe 0 harmless 1"));
  result("R04 nothing outside the trusted directories is preloaded", says("preloaded 0"));
  result("R05 $ORIGIN is not expanded", says("origin 1"));
  result("R06 a relative element of DT_RUNPATH is not searched", says("relative 1"));
  result("R07 nothing is printed but what the program prints", strncmp(output_, "secure", 6) == 0);
  int survived = 1;
  for (size_t length = 1; length < 100000; length = length * 3 + 1) {
    static char tunables[110000];
    strcpy(tunables, "GLIBC_TUNABLES=glibc.malloc.mxfast=glibc.malloc.mxfast=");
    size_t used = strlen(tunables);
    memset(tunables + used, 'A', length);
    tunables[used + length] = 0;
    char* only[] = {tunables, (char*)"HARMLESS=1", NULL};
    if (run(suid, only, 0) != 0 || !says("unsafe 0 harmless 1")) survived = 0;
  }
  result("R08 GLIBC_TUNABLES does nothing and is not passed on", survived);
  char* nothing[] = {NULL};
  status = run(suid, nothing, 1);
  result("R10 closed standard descriptors are opened", status == 0 && says("descriptors 1 1 1"));
  char* harmless[] = {(char*)"HARMLESS=1", NULL};
  status = run(plain, harmless, 0);
  result("R01 a program without the bit is not", status == 0 && says("secure 0 0"));
  return 0;
}
