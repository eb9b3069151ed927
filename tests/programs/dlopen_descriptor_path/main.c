// Libraries that have no name of their own: a file in memory and a removed one, opened through
// /proc/self/fd.
#include "../check.h"
#include <sys/mman.h>

static const char* path_of(int fd) {
  static char paths[4][32];
  static int next;
  char* path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "/proc/self/fd/%d", fd);
  return path;
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
  {
    write_file(in_scratch("gone.so"), file_bytes, size);
    void* first = must_open(in_scratch("gone.so"), RTLD_NOW);
    call_int(first, "increment");
    write_file(in_scratch("gone.so.new"), file_bytes, size);
    if (rename(in_scratch("gone.so.new"), in_scratch("gone.so")) != 0) give_up("rename");
    void* second = must_open(in_scratch("gone.so"), RTLD_NOW);
    printf("a path that leads to another file than before: %s\n",
           call_int(second, "increment") == 1 ? "the new file" : "the loaded module");
    CHECK("both can be closed") { EXPECT(dlclose(second) == 0 && dlclose(first) == 0); }
  }
  return check_status();
}
