// Code on huge pages: of a library that is there from the start, of one that is opened, and of its
// copy in a memory file, which more kernels have huge pages for than for a file on a disk. Whatever
// the kernel says, the functions are there; what it says is in the log; and where it says that it
// is done, the pages are huge ones. Under ld.so the functions alone count.
#include "../check.h"

#include <sys/mman.h>

int answer_1(void), answer_2(void), answer_3(void), answer_4(void);
typedef int Answer(void);

static int is_wished, is_myld;

// The line of the log that speaks of huge pages for `file`, "" if there is none.
static const char* logged(const char* file) {
  static char line[4096];
  char name[PATH_MAX];
  snprintf(name, sizeof name, "%s.%d", getenv("LD_DEBUG_OUTPUT"), (int)getpid());
  FILE* log = fopen(name, "r");
  int found = 0;
  while (log != NULL && !found && fgets(line, sizeof line, log) != NULL)
    found = strstr(line, "code on huge pages") != NULL && strstr(line, file) != NULL;
  if (log != NULL) fclose(log);
  line[strcspn(line, "\n")] = 0;
  return found ? line : "";
}

// The executable mapping that holds `at`, and how much of it huge pages of a file hold.
struct Text {
  unsigned long from, to, offset, huge_bytes;
};
static struct Text text_of(const void* at) {
  struct Text text = {0}, each;
  char line[4096], protection[8];
  int here = 0;
  FILE* maps = fopen("/proc/self/smaps", "r");
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    unsigned long kb;
    if (sscanf(line, "%lx-%lx %7s %lx", &each.from, &each.to, protection, &each.offset) == 4) {
      here = each.from <= (unsigned long)at && (unsigned long)at < each.to;
      if (here) {
        text = each;
        text.huge_bytes = 0;
      }
    } else if (here && (sscanf(line, "ShmemPmdMapped: %lu kB", &kb) == 1 ||
                        sscanf(line, "FilePmdMapped: %lu kB", &kb) == 1)) {
      text.huge_bytes += kb << 10;
    }
  }
  if (maps != NULL) fclose(maps);
  return text;
}

static void check_library(const char* file, Answer* const answers[4]) {
  for (int i = 0; i < 4; ++i) EXPECT(answers[i]() == i + 1);
  if (!is_myld) return;
  const unsigned long huge = 2ul << 20;
  struct Text text = text_of((const void*)answers[0]);
  const char* line = logged(file);
  EXPECT(text.to - text.from >= 4 * huge);
  EXPECT(!is_wished || (text.from - text.offset) % huge == 0);
  EXPECT((*line != 0) == is_wished);
  const char* said = strstr(line, "MADV_COLLAPSE: ");
  EXPECT((said != NULL) == is_wished);
  if (said == NULL) return;
  said += strlen("MADV_COLLAPSE: ");
  if (strcmp(said, "done") == 0) {
    EXPECT(text.huge_bytes != 0);
  } else {  // a reason in words
    EXPECT(*said >= 'A' && *said <= 'Z');
  }
}

static void check_opened(const char* path, const char* file) {
  void* library = dlopen(path, RTLD_NOW);
  EXPECT(library != NULL);
  if (library == NULL) return;
  Answer* answers[4];
  for (int i = 0; i < 4; ++i) {
    char name[] = "answer_0";
    name[sizeof name - 2] += (char)(i + 1);
    *(void**)&answers[i] = dlsym(library, name);
    EXPECT(answers[i] != NULL);
  }
  check_library(file, answers);
  EXPECT(dlclose(library) == 0);
}

// The path of a copy in memory.
static const char* in_memory(const char* path) {
  static char copy[64];
  static char buffer[1 << 16];
  int from = open(path, O_RDONLY), to = memfd_create("copy", 0);
  ssize_t n;
  while ((n = read(from, buffer, sizeof buffer)) > 0) EXPECT(write(to, buffer, (size_t)n) == n);
  close(from);
  snprintf(copy, sizeof copy, "/proc/self/fd/%d", to);
  return copy;
}

int main(int argc, char** argv) {
  is_wished = argc > 1 && strcmp(argv[1], "wished") == 0;
  is_myld = dlsym(RTLD_DEFAULT, "myld_version") != NULL;
  CHECK("a library that is there from the start") {
    Answer* const answers[4] = {answer_1, answer_2, answer_3, answer_4};
    check_library("liblarge.so", answers);
  }
  CHECK("one that is opened") { check_opened("./libopened.so", "libopened.so"); }
  CHECK("one in memory") {
    const char* copy = in_memory("./libopened.so");
    check_opened(copy, copy);
  }
  return check_status();
}
