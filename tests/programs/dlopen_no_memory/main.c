// With a limit on the address space, a library that needs more than is left is refused, whichever
// step it is that fails, and nothing stays behind.
#include "../check.h"
#include <sys/resource.h>

int constructor_runs;

// How many mappings of files there are. What a loader keeps of its own memory is its business.
static int mappings(void) {
  static char text[1 << 16];
  int count = 0, fd = open("/proc/self/maps", O_RDONLY);
  size_t length = 0;
  ssize_t got = 0;
  while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0) length += (size_t)got;
  close(fd);
  text[length] = 0;
  for (char* line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
    count += strchr(line, '/') != NULL;
  return count;
}

static size_t pages_in_use(void) {
  char text[128] = "";
  int fd = open("/proc/self/statm", O_RDONLY);
  if (read(fd, text, sizeof text - 1) <= 0) give_up("statm");
  close(fd);
  return strtoul(text, NULL, 10);
}

static void limit_to(rlim_t bytes) {
  struct rlimit limits;
  getrlimit(RLIMIT_AS, &limits);
  limits.rlim_cur = bytes;
  if (setrlimit(RLIMIT_AS, &limits) != 0) give_up("setrlimit");
}

int main(void) {
  // Once with success and once with failure, so that what is made once is there.
  dlclose(must_open("libparent.so", RTLD_NOW));
  if (dlopen("no-such-file.so", RTLD_NOW) != NULL || dlerror() == NULL) give_up("no-such-file.so");
  int runs = constructor_runs;

  CHECK("S11 a library that is larger than the address space left") {
    int before = mappings();
    limit_to(256 << 20);
    EXPECT(dlopen("libhuge.so", RTLD_NOW) == NULL);
    limit_to(RLIM_INFINITY);
    EXPECT(error_names("libhuge.so"));
    EXPECT(mappings() == before);
    EXPECT(!module_loaded("libhuge.so"));
  }
  CHECK("S11 at whatever step the memory runs out") {
    int before = mappings(), failures = 0;
    size_t used = pages_in_use() * 4096;
    for (size_t room = 0; room < 64; ++room) {
      limit_to(used + room * 4096);
      void* handle = dlopen("libparent.so", RTLD_NOW);
      limit_to(RLIM_INFINITY);
      if (handle != NULL) {
        EXPECT(call_int(handle, "parent") == 3);
        EXPECT(dlclose(handle) == 0);
      } else {
        ++failures;
        const char* text = dlerror();
        EXPECT(text != NULL && text[0] != 0);
        EXPECT(constructor_runs == runs);
      }
      runs = constructor_runs;
      EXPECT(!module_loaded("libparent.so") && !module_loaded("libchild.so"));
      EXPECT(mappings() == before);
      if (check_failed_here_) {
        printf("  with room for %zu pages\n", room);
        break;
      }
    }
    EXPECT(failures > 4);
  }
  CHECK("S11 and afterwards it works") {
    void* handle = dlopen("libparent.so", RTLD_NOW);
    EXPECT(handle != NULL && call_int(handle, "parent") == 3);
  }
  return check_status();
}
