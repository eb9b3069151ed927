// The start under pressure: little memory, few descriptors, a huge environment, no arguments,
// system calls that fail. The program runs or says why not; it never dies of a signal.
#include "../check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static void result(const char* what, int holds) {
  printf("%s: %s\n", what, holds ? "ok" : "no");
  fflush(stdout);
}

struct attempt {
  int resource;
  rlim_t limit;
  int failing_call, error;  // a system call that fails, or -1
  char **argv, **envp;
};

static const char* program_path;
static char* one_argument[] = {(char*)"prog", NULL};
static char* no_argument[] = {NULL};
static char* small_environment[] = {(char*)"A=b", NULL};

static void start(void* data) {
  const struct attempt* a = data;
  if (a->resource >= 0) {
    struct rlimit limit = {a->limit, a->limit};
    setrlimit(a->resource, &limit);
  }
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)a->failing_call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)a->error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof code[0], code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (a->failing_call >= 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) _exit(96);
  alarm(10);
  execve(program_path, a->argv, a->envp);
  _exit(98);
}

// The program ran, or there is a text and status 127.
static int is_clean(const struct attempt* a) {
  static char output[4096];
  int status = in_child(start, (void*)a, output, sizeof output);
  int good = WIFEXITED(status) &&
             (WEXITSTATUS(status) == 42 || (WEXITSTATUS(status) == 127 && strlen(output) > 10));
  if (!good && getenv("SHOW") != NULL)
    fprintf(stderr, "limit %d %lu call %d errno %d: %#x %s\n", a->resource, (unsigned long)a->limit,
            a->failing_call, a->error, status, output);
  return good;
}

static int under_limits(int resource, rlim_t from, rlim_t to, rlim_t step) {
  int clean = 1;
  for (rlim_t limit = from; limit < to; limit += step) {
    struct attempt a = {resource, limit, -1, 0, one_argument, small_environment};
    clean &= is_clean(&a);
  }
  return clean;
}

// A program that misses a thousand symbols: there is memory for some of the report, or none.
static int without_symbols(void) {
  int clean = 1;
  for (rlim_t limit = 2560 << 10; limit < 3584 << 10; limit += 32 << 10) {
    struct attempt a = {RLIMIT_AS, limit, -1, 0, one_argument, small_environment};
    program_path = beside_program("missing");
    clean &= is_clean(&a);
    program_path = beside_program("prog");
  }
  return clean;
}

static int with_environment(int variables, size_t length) {
  char** environment = calloc((size_t)variables + 1, sizeof *environment);
  for (int i = 0; i < variables; ++i) {
    environment[i] = malloc(length + 16);
    int n = sprintf(environment[i], "V%d=", i);
    memset(environment[i] + n, 'x', length);
    environment[i][(size_t)n + length] = 0;
  }
  struct attempt a = {-1, 0, -1, 0, one_argument, environment};
  return is_clean(&a);
}

int main(void) {
  program_path = beside_program("prog");
  result("R09 1.5 MB of environment, 120 kB in one variable, 10,000 variables",
         with_environment(15, 100000) && with_environment(1, 120000) && with_environment(10000, 8));
  struct attempt empty = {-1, 0, -1, 0, no_argument, small_environment};
  result("R09 no argument at all", is_clean(&empty));
  result("R09 a stack of 160 KiB and more",
         under_limits(RLIMIT_STACK, 160 << 10, 512 << 10, 32 << 10));
  result("R09 none to eight descriptors", under_limits(RLIMIT_NOFILE, 3, 9, 1));
  result("R09 one to 16 MiB of address space",
         under_limits(RLIMIT_AS, 1 << 20, 16 << 20, 128 << 10));
  // With less than that the kernel has no room for what the program's and the loader's files hold.
  result("R09 little address space for the report of a thousand missing symbols",
         without_symbols());
  result("R09 little data", under_limits(RLIMIT_DATA, 96 << 10, 2 << 20, 32 << 10));
  static const int calls[] = {
      SYS_openat,    SYS_fstat,    SYS_pread64,         SYS_read, SYS_mmap,
      SYS_munmap,    SYS_close,    SYS_mprotect,        SYS_brk,  SYS_readlinkat,
      SYS_getcwd,    SYS_madvise,  SYS_set_robust_list, SYS_rseq, SYS_rt_sigaction,
      SYS_getrandom, SYS_prlimit64};
  static const int errors[] = {EPERM, ENOMEM, EIO, EINTR, EMFILE, ENOSYS};
  int clean = 1;
  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; ++i)
    for (size_t j = 0; j < sizeof errors / sizeof errors[0]; ++j) {
      struct attempt a = {-1, 0, calls[i], errors[j], one_argument, small_environment};
      clean &= is_clean(&a);
    }
  result("R32 each system call of the start fails for ever", clean);
  return 0;
}
