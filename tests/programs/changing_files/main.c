// What is no regular file, and libraries that are replaced or written to while they are opened.
#include "../check.h"
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static void result(const char* what, int holds) {
  printf("%s: %s\n", what, holds ? "ok" : "no");
  fflush(stdout);
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// ---- R30

static void open_odd(void* path) {
  alarm(5);
  double start = seconds();
  void* handle = dlopen((const char*)path, RTLD_NOW);
  const char* text = dlerror();
  // Long names lose their middle in the text.
  int named =
      text != NULL && (strstr(text, (const char*)path) != NULL || strlen((const char*)path) > 400);
  _exit(handle == NULL && named && seconds() - start < 2 ? 0 : 1);
}

static int is_refused(const char* path) {
  static char output[512];
  int status = in_child(open_odd, (void*)path, output, sizeof output);
  if (status != 0 && getenv("SHOW") != NULL)
    fprintf(stderr, "%.40s: %#x %s\n", path, status, output);
  return status == 0;
}

static int odd_files_are_refused(void) {
  static char long_name[5000], long_component[400];
  memset(long_name, '/', sizeof long_name - 1);
  memset(long_component, 'x', sizeof long_component - 1);
  long_component[0] = '/';
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  mkdir(in_scratch("dir.so"), 0755);
  mkfifo(in_scratch("fifo.so"), 0644);
  write_file(in_scratch("empty.so"), "", 0);
  write_file(in_scratch("text.so"), "GROUP ( libc.so.6 )\n", 20);
  copy_file(beside_program("liblib1.so"), in_scratch("sparse.so"));
  if (truncate(in_scratch("sparse.so"), 100) != 0 ||
      truncate(in_scratch("sparse.so"), 1L << 40) != 0)
    give_up("truncate");
  if (symlink("loop.so", in_scratch("loop.so")) != 0) give_up("symlink");
  strcpy(address.sun_path, in_scratch("socket.so"));
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (bind(fd, (struct sockaddr*)&address, sizeof address) != 0) give_up("bind");
  close(fd);
  const char* odd[] = {in_scratch("dir.so"), in_scratch("fifo.so"), in_scratch("empty.so"),
                       in_scratch("text.so"), in_scratch("sparse.so")};
  int all = 1;
  for (int i = 0; i < 5; ++i) all &= is_refused(odd[i]);
  return all & is_refused(in_scratch("loop.so")) & is_refused(in_scratch("socket.so")) &
         is_refused("/dev/null") & is_refused("/dev/zero") & is_refused(long_name) &
         is_refused(long_component);
}

// ---- R48

static volatile int stop_;

static void* replace(void* unused) {
  const char *path = in_scratch("libchanging.so"), *other = in_scratch("other.so");
  for (unsigned i = 0; !stop_; ++i) {
    copy_file(beside_program(i & 1 ? "liblib2.so" : "liblib1.so"), other);
    if (rename(other, path) != 0) give_up("rename");
  }
  return unused;
}

static void open_replaced(void* unused) {
  (void)unused;
  const char* path = in_scratch("libchanging.so");
  copy_file(beside_program("liblib1.so"), path);
  pthread_t thread;
  alarm(20);
  pthread_create(&thread, NULL, replace, NULL);
  int wrong = 0, loaded = 0;
  for (double end = seconds() + 1; seconds() < end;) {
    void* handle = dlopen(path, RTLD_NOW);
    if (handle == NULL) {
      wrong |= dlerror() == NULL;
      continue;
    }
    ++loaded;
    int version = call_int(handle, "version");
    wrong |= version != 1 && version != 2;
    dlclose(handle);
  }
  stop_ = 1;
  pthread_join(thread, NULL);
  _exit(wrong || loaded == 0);
}

// The library needs libcutter.so, whose resolver shortens the library's file: after it was mapped
// and before it is relocated.
static void open_shortened(void* unused) {
  (void)unused;
  const char* path = in_scratch("libshortened.so");
  copy_file(beside_program("libshortened.so"), path);
  copy_file(beside_program("libcutter.so"), in_scratch("libcutter.so"));
  if (chdir(scratch_directory()) != 0) _exit(2);
  alarm(20);
  void* handle = dlopen(path, RTLD_NOW);
  const char* text = dlerror();
  if (handle != NULL || text == NULL || strstr(text, "libshortened.so") == NULL) _exit(1);
  _exit(call_int(must_open(beside_program("liblib1.so"), RTLD_NOW), "version") != 1);
}

static int survives(void (*body)(void*)) {
  static char output[512];
  int status = in_child(body, NULL, output, sizeof output);
  if (status != 0 && getenv("SHOW") != NULL) fprintf(stderr, "%#x %s\n", status, output);
  return status == 0;
}

int main(void) {
  (void)in_scratch("x");
  result("R30 directories, pipes, devices, sockets, empty and sparse files, loops, long names",
         odd_files_are_refused());
  result("R48 a library that is replaced while it is opened", survives(open_replaced));
  result("R48 a library that is truncated while it is opened", survives(open_shortened));
  return 0;
}
