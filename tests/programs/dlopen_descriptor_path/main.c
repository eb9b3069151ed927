// Libraries that have no name of their own: a file in memory and a removed one, opened through
// /proc/self/fd.
#include "../check.h"
#include <stdbool.h>
#include <sys/mman.h>

static const char* path_of(int fd) {
  static char paths[4][32];
  static int next;
  char* path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "/proc/self/fd/%d", fd);
  return path;
}

/// Opens the first or second of two files by what is the same path for both.
static void* by_descriptor(size_t size, int which) {
  static int number = -1;
  int fd = memfd_create("library", MFD_CLOEXEC);
  if (fd < 0 || write(fd, file_bytes, size) != (ssize_t)size) give_up("memfd_create");
  if (which == 0) number = fd;
  if (dup2(fd, number) != number) give_up("dup2");
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", number);
  return must_open(path, RTLD_NOW);
}

static void* by_relative_path(size_t size, int which) {
  const char* directory = in_scratch(which == 0 ? "one" : "two");
  if (mkdir(directory, 0700) != 0 || chdir(directory) != 0) give_up("%s", directory);
  write_file("same.so", file_bytes, size);
  return must_open("./same.so", RTLD_NOW);
}

static void another(const char* what, size_t size, void* (*open)(size_t, int)) {
  void* first = open(size, 0);
  call_int(first, "increment");
  void* second = open(size, 1);
  bool is_first = call_int(second, "increment") == 2;
  printf("%s: %s\n", what, is_first ? "the loaded module" : "a module of its own");
  if ((second == first) != is_first) give_up("%s: handles and modules differ", what);
}

int main(void) {
  size_t size = read_file(beside_program("libanswer.so"));
  CHECK("a memory file") {
    int fd = memfd_create("library", MFD_CLOEXEC);
    if (fd < 0 || write(fd, file_bytes, size) != (ssize_t)size) give_up("memfd_create");
    void* handle = dlopen(path_of(fd), RTLD_NOW);
    EXPECT(handle != NULL && call_int(handle, "answer") == 42);
    // Another descriptor of the same file is the same module, and the module outlives both.
    int other = dup(fd);
    EXPECT(dlopen(path_of(other), RTLD_NOW) == handle);
    close(fd);
    close(other);
    EXPECT(handle != NULL && call_int(handle, "answer") == 42);
    EXPECT(dlclose(handle) == 0 && dlclose(handle) == 0);
  }
  CHECK("two memory files are two modules") {
    int fds[2];
    void* handles[2];
    for (int i = 0; i < 2; ++i) {
      fds[i] = memfd_create("library", MFD_CLOEXEC);
      if (fds[i] < 0 || write(fds[i], file_bytes, size) != (ssize_t)size) give_up("memfd_create");
      handles[i] = dlopen(path_of(fds[i]), RTLD_NOW);
    }
    EXPECT(handles[0] != NULL && handles[1] != NULL && handles[0] != handles[1]);
    EXPECT(call_int(handles[0], "increment") == 1 && call_int(handles[1], "increment") == 1);
    for (int i = 0; i < 2; ++i) EXPECT(dlclose(handles[i]) == 0 && close(fds[i]) == 0);
  }
  CHECK("a removed file stays what it was to those who opened it") {
    write_file(in_scratch("gone.so"), file_bytes, size);
    void* first = must_open(in_scratch("gone.so"), RTLD_NOW);
    EXPECT(unlink(in_scratch("gone.so")) == 0);
    EXPECT(call_int(first, "increment") == 1);
    EXPECT(call_int(first, "increment") == 2);
    EXPECT(dlclose(first) == 0);
  }
  CHECK("a path that leads to another file than before is the loaded module") {
    write_file(in_scratch("replaced.so"), file_bytes, size);
    void* first = must_open(in_scratch("replaced.so"), RTLD_NOW);
    call_int(first, "increment");
    write_file(in_scratch("replaced.so.new"), file_bytes, size);
    if (rename(in_scratch("replaced.so.new"), in_scratch("replaced.so")) != 0) give_up("rename");
    EXPECT(dlopen(in_scratch("replaced.so"), RTLD_NOW) == first);
    // By a path that it was not asked for by, the new file is found.
    void* second = must_open(in_scratch("./replaced.so"), RTLD_NOW);
    EXPECT(second != first && call_int(second, "increment") == 1);
    EXPECT(dlopen(in_scratch("./replaced.so"), RTLD_NOW) == second);
    for (int i = 0; i < 2; ++i) EXPECT(dlclose(second) == 0 && dlclose(first) == 0);
  }
  CHECK("when that is closed it is the new file") {
    void* third = must_open(in_scratch("replaced.so"), RTLD_NOW);
    EXPECT(call_int(third, "increment") == 1);
    EXPECT(dlclose(third) == 0);
  }
  another("another file under a descriptor's number", size, by_descriptor);
  another("a relative path in another directory", size, by_relative_path);
  return check_status();
}
