// Every module says when it is constructed and destroyed. A child does it all; the parent looks at
// the order, from before main to after exit.
#include "../check.h"

void note(const char* word) {
  char line[64];
  int length = snprintf(line, sizeof line, "%s\n", word);
  if (write(1, line, (size_t)length) != length) _exit(98);
}

__attribute__((constructor)) static void begin(void) { note("+program"); }
__attribute__((destructor)) static void end(void) { note("-program"); }
static void at_exit_early(void) { note("atexit registered before dlopen"); }
static void at_exit_late(void) { note("atexit registered after dlopen"); }
extern int a_needs_b(void);

static void live_and_exit(void* unused) {
  (void)unused;
  if (a_needs_b() != 1) give_up("liba.so");
  atexit(at_exit_early);
  must_open("libopened.so", RTLD_NOW);  // needs libopened-dep.so and, again, libb.so
  void* closed = must_open("libclosed.so", RTLD_NOW);
  dlclose(closed);
  note("closed");
  must_open("libopened-later.so", RTLD_NOW);
  void* nodelete = must_open("libnodelete.so", RTLD_NOW | RTLD_NODELETE);
  dlclose(nodelete);
  atexit(at_exit_late);
  note("exit");
  exit(7);
}

static char output[4096];

// The place of a line in the output; -1 unless it is there exactly once.
static int place(const char* word) {
  char line[64];
  snprintf(line, sizeof line, "%s\n", word);
  const char* found = strstr(output, line);
  if (found == NULL || strstr(found + 1, line) != NULL) return -1;
  return (int)(found - output);
}

static int in_order(const char* first, const char* second) {
  return place(first) >= 0 && place(first) < place(second);
}

int main(void) {
  int status = in_child(live_and_exit, NULL, output, sizeof output);
  CHECK("the exit status is the program's") {
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
  }
  const char* last_handler = "atexit registered before dlopen\n";
  char* destructors = strstr(output, last_handler);
  if (destructors == NULL) give_up("%s", output);
  destructors += strlen(last_handler);
  // Up to here there is one right order.
  printf("%.*s", (int)(destructors - output), output);
  // And here there are several.
  CHECK("every module that is left is destroyed once, after the handlers") {
    static const char* const words[] = {"-program",    "-liba",          "-libb",
                                        "-libopened",  "-libopened-dep", "-libopened-later",
                                        "-libnodelete"};
    size_t bytes = 0;
    for (int i = 0; i < 7; ++i) {
      EXPECT(place(words[i]) >= destructors - output);
      bytes += strlen(words[i]) + 1;
    }
    EXPECT(strlen(destructors) == bytes);
  }
  CHECK("and before what it needs") {
    EXPECT(in_order("-program", "-liba"));
    EXPECT(in_order("-liba", "-libb"));
    EXPECT(in_order("-libopened", "-libopened-dep"));
    EXPECT(in_order("-libopened", "-libb"));
    EXPECT(in_order("-libopened-later", "-libopened-dep"));
  }
  fflush(stdout);
  _exit(check_status());
}
