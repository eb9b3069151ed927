// System calls that fail while a library is opened, for ever or until memory comes back, and the
// first use of thread-local storage when there is none.
#include "../check.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static void result(const char* what, int holds) {
  printf("%s: %s\n", what, holds ? "ok" : "no");
  fflush(stdout);
}

struct state {
  int mappings, descriptors, modules;
};

static int count_module(struct dl_phdr_info* info, size_t size, void* data) {
  (void)info;
  (void)size;
  ++*(int*)data;
  return 0;
}

static struct state state_now(void) {
  static char text[1 << 17];
  struct state s = {0, 0, 0};
  int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  size_t length = 0;
  ssize_t got;
  while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0) length += (size_t)got;
  close(fd);
  text[length] = 0;
  for (char* line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
    s.mappings += strchr(line, '/') != NULL;
  for (int i = 0; i < 256; ++i) s.descriptors += fcntl(i, F_GETFD) >= 0;
  dl_iterate_phdr(count_module, &s.modules);
  return s;
}

static int same(struct state a, struct state b) {
  return a.mappings == b.mappings && a.descriptors == b.descriptors && a.modules == b.modules;
}

// An mmap fails only if it is for one segment of a file: flag MAP_FIXED, in the fourth argument.
static void fail_call(int call, int error) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(call < 0 ? SYS_mmap : call), 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[3])),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, call < 0 ? MAP_FIXED : 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call < 0 ? MAP_FIXED : 0, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof code[0], code};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) _exit(96);
}

struct fault {
  int call, error;
};

// Exit status 0: the library opened, or it did not, with a text, and nothing stayed behind.
static void open_with_fault(void* data) {
  const struct fault* f = data;
  const char* path = beside_program("liblib.so");
  dlclose(must_open(path, RTLD_NOW));
  struct state before = state_now();
  alarm(10);
  fail_call(f->call, f->error);
  for (int i = 0; i < 20; ++i) {
    void* handle = dlopen(path, RTLD_NOW);
    if (handle == NULL && dlerror() == NULL) _exit(2);
    if (handle != NULL && call_int(handle, "next") != 6) _exit(3);
    if (handle != NULL) dlclose(handle);
  }
  if (f->call == SYS_openat || f->call == SYS_close || f->call == SYS_munmap) _exit(0);
  _exit(same(before, state_now()) ? 0 : 4);
}

static int survives(int call, int error) {
  static char output[512];
  struct fault f = {call, error};
  int status = in_child(open_with_fault, &f, output, sizeof output);
  if (status != 0 && getenv("SHOW") != NULL)
    fprintf(stderr, "call %d error %d: %#x %s\n", call, error, status, output);
  return status == 0;
}

// ---- thread-local storage

static int (*next_)(void);
static volatile int value_;
static void in_handler(int signal) {
  (void)signal;
  value_ = next_();
}
static pthread_barrier_t barrier_;
static void* first_access(void* unused) {
  pthread_barrier_wait(&barrier_);  // exists before the library does
  pthread_barrier_wait(&barrier_);
  signal(SIGUSR1, in_handler);
  raise(SIGUSR1);
  return unused;
}

static void no_memory(int none) {
  struct rlimit limit;
  getrlimit(RLIMIT_AS, &limit);
  limit.rlim_cur = none ? 1 : limit.rlim_max;
  setrlimit(RLIMIT_AS, &limit);
}

static void access_without_memory(void* unused) {
  (void)unused;
  pthread_t thread;
  pthread_barrier_init(&barrier_, NULL, 2);
  pthread_create(&thread, NULL, first_access, NULL);
  pthread_barrier_wait(&barrier_);
  next_ = (int (*)(void))must_find(must_open(beside_program("liblib.so"), RTLD_NOW), "next");
  no_memory(1);
  pthread_barrier_wait(&barrier_);
  pthread_join(thread, NULL);
  _exit(value_ == 6 ? 0 : 1);
}

int main(void) {
  enum { kSegmentMmap = -1 };
  static const int calls[] = {kSegmentMmap,   SYS_mmap,    SYS_mprotect, SYS_fstat,
                              SYS_newfstatat, SYS_pread64, SYS_openat,   SYS_getcwd};
  static const int errors[] = {ENOMEM, EIO, EACCES, EMFILE};
  int clean = 1, interrupted = 1;
  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; ++i) {
    for (size_t j = 0; j < sizeof errors / sizeof errors[0]; ++j)
      clean &= survives(calls[i], errors[j]);
    interrupted &= survives(calls[i], EINTR);
  }
  result("R33 whichever system call fails, twenty times, nothing stays behind", clean);
  result("R34 a call that is interrupted for ever ends the dlopen, not the process", interrupted);
  static char output[512];
  result(
      "R35 a thread that was there before uses a library's thread-local storage first in a signal "
      "handler, without memory",
      in_child(access_without_memory, NULL, output, sizeof output) == 0);
  no_memory(1);
  int refused = dlopen(beside_program("liblib.so"), RTLD_NOW) == NULL;
  no_memory(0);
  result("R36 a later dlopen works",
         refused && call_int(must_open(beside_program("liblib.so"), RTLD_NOW), "next") == 6);
  return 0;
}
