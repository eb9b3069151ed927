// What the programs of this folder share: named checks, each of which prints one line, and the few
// questions about the process that many of them ask. C11 and C++17; the libc only.
//
//   int main(void) {
//     CHECK("S02 dependencies are loaded too") {
//       EXPECT(module_loaded("libdep.so"));
//     }
//     return check_status();
//   }
//
// prints "S02 dependencies are loaded too: ok", or a line for each expectation that failed and then
// "...: FAILED". A name that begins with S and two digits speaks of the statement of that number in
// docs/dlfcn.md.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char* check_name_ = "";
static int check_failed_here_;
static int check_failed_ever_;

static inline int check_begin_(const char* name) {
  check_name_ = name;
  check_failed_here_ = 0;
  return 1;
}

static inline int check_end_(void) {
  printf("%s: %s\n", check_name_, check_failed_here_ ? "FAILED" : "ok");
  fflush(stdout);
  return 0;
}

static inline void expect_(int holds, const char* text, const char* file, int line) {
  if (holds) return;
  check_failed_here_ = check_failed_ever_ = 1;
  const char* slash = strrchr(file, '/');
  printf("  %s:%d: not so: %s\n", slash ? slash + 1 : file, line, text);
}

// One named check; the body runs once and the result is printed when it ends. Do not leave it with
// break or return.
#define CHECK(name)                                                                                \
  for (int check_once_ = check_begin_(name); check_once_; check_once_ = check_end_())
#define EXPECT(condition) expect_((condition) ? 1 : 0, #condition, __FILE__, __LINE__)

// The program's exit status: 0 when every expectation held.
static inline int check_status(void) { return check_failed_ever_; }

// Ends the program: something a test needs, not something it tests, went wrong.
__attribute__((format(printf, 1, 2), noreturn)) static inline void give_up(const char* format,
                                                                           ...) {
  va_list args;
  va_start(args, format);
  fputs("cannot go on: ", stdout);
  vprintf(format, args);
  va_end(args);
  putchar('\n');
  fflush(stdout);
  _exit(99);
}

// dlopen and dlsym of what must be there.
static inline void* must_open(const char* file, int mode) {
  void* handle = dlopen(file, mode);
  if (handle == NULL) give_up("dlopen(%s): %s", file, dlerror());
  return handle;
}

static inline void* must_find(void* handle, const char* name) {
  void* address = dlsym(handle, name);
  if (address == NULL) {
    const char* text = dlerror();
    give_up("dlsym(%s): %s", name, text != NULL ? text : "is null");
  }
  return address;
}

// Calls the function `int name(void)` found through `handle`.
static inline int call_int(void* handle, const char* name) {
  return ((int (*)(void))must_find(handle, name))();
}

// Whether the text of the last error is there and contains `part`; the text is consumed.
static inline int error_names(const char* part) {
  const char* text = dlerror();
  if (text != NULL && strstr(text, part) != NULL) return 1;
  printf("  dlerror says: %s\n", text != NULL ? text : "(nothing)");
  return 0;
}

static inline const char* last_component(const char* path) {
  const char* slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

struct module_search_ {
  const char* name;
  int found;
};

static inline int module_search_step_(struct dl_phdr_info* info, size_t size, void* data) {
  (void)size;
  struct module_search_* search = (struct module_search_*)data;
  if (strcmp(last_component(info->dlpi_name), search->name) == 0) ++search->found;
  return 0;
}

// How many modules with this file name dl_iterate_phdr reports. It takes no reference.
static inline int module_count(const char* file_name) {
  struct module_search_ search = {file_name, 0};
  dl_iterate_phdr(module_search_step_, &search);
  return search.found;
}

static inline int module_loaded(const char* file_name) { return module_count(file_name) > 0; }

// The module behind a handle, and the whole list that debuggers walk, from its first element.
static inline struct link_map* module_of(void* handle) {
  struct link_map* map = NULL;
  if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0) give_up("RTLD_DI_LINKMAP: %s", dlerror());
  return map;
}

static inline struct link_map* first_module(void* handle) {
  struct link_map* map = module_of(handle);
  while (map->l_prev != NULL) map = map->l_prev;
  return map;
}

// The directory of the program, absolute. The program's own path is asked of the loader: when a
// loader is started by hand, /proc/self/exe names the loader.
static inline const char* program_directory(void) {
  static char directory[PATH_MAX];
  static const char here = 0;
  if (directory[0] != 0) return directory;
  Dl_info info;
  if (dladdr((const void*)&here, &info) == 0) give_up("dladdr does not know the program");
  if (realpath(info.dli_fname, directory) == NULL) give_up("realpath %s", info.dli_fname);
  *strrchr(directory, '/') = 0;
  return directory;
}

// A path inside the program's directory. The text lives until the eighth call after this one.
static inline const char* beside_program(const char* name) {
  static char paths[8][PATH_MAX];
  static unsigned next;
  char* path = paths[next++ % 8];
  if (snprintf(path, PATH_MAX, "%s/%s", program_directory(), name) >= PATH_MAX)
    give_up("a path is too long");
  return path;
}

// A new empty directory, removed with everything in it when the program's main process exits.
static char scratch_path_[] = "/tmp/scratch-XXXXXX";
static pid_t scratch_owner_;

static inline void remove_scratch_(void) {
  if (getpid() != scratch_owner_) return;
  char command[64];
  snprintf(command, sizeof command, "rm -rf %s", scratch_path_);
  unsetenv("LD_LIBRARY_PATH");
  unsetenv("LD_PRELOAD");
  if (system(command) != 0) puts("the scratch directory stays");
}

static inline const char* scratch_directory(void) {
  if (scratch_owner_ != 0) return scratch_path_;
  if (mkdtemp(scratch_path_) == NULL) give_up("mkdtemp");
  scratch_owner_ = getpid();
  atexit(remove_scratch_);
  return scratch_path_;
}

// A path inside the scratch directory. The text lives until the eighth call after this one.
static inline const char* in_scratch(const char* name) {
  static char paths[8][PATH_MAX];
  static unsigned next;
  char* path = paths[next++ % 8];
  snprintf(path, PATH_MAX, "%s/%s", scratch_directory(), name);
  return path;
}

// Reads a whole file into a static buffer of four mebibytes; returns its length.
static unsigned char file_bytes[4 << 20];

static inline size_t read_file(const char* path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) give_up("open %s: %s", path, strerror(errno));
  size_t length = 0;
  ssize_t got = 0;
  while ((got = read(fd, file_bytes + length, sizeof file_bytes - length)) > 0)
    length += (size_t)got;
  close(fd);
  if (length == sizeof file_bytes) give_up("%s is too large", path);
  return length;
}

static inline void write_file(const char* path, const void* bytes, size_t length) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
  if (fd < 0 || write(fd, bytes, length) != (ssize_t)length) give_up("write %s", path);
  close(fd);
}

static inline void copy_file(const char* from, const char* to) {
  size_t length = read_file(from);
  write_file(to, file_bytes, length);
}

// Runs `body(data)` in a forked child with stdout and stderr sent to `output` (at most `size`-1
// bytes are kept); returns the status of waitpid. The child ends with _exit(0) if body returns.
static inline int in_child(void (*body)(void*), void* data, char* output, size_t size) {
  int ends[2];
  fflush(stdout);
  if (pipe(ends) != 0) give_up("pipe");
  pid_t child = fork();
  if (child < 0) give_up("fork");
  if (child == 0) {
    dup2(ends[1], 1);
    dup2(ends[1], 2);
    close(ends[0]);
    close(ends[1]);
    body(data);
    fflush(stdout);
    _exit(0);
  }
  close(ends[1]);
  size_t length = 0;
  ssize_t got = 0;
  char rest[256];
  while ((got = read(ends[0], length + 1 < size ? output + length : rest,
                     length + 1 < size ? size - 1 - length : sizeof rest)) > 0)
    if (length + 1 < size) length += (size_t)got;
  if (size != 0) output[length] = 0;
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}
