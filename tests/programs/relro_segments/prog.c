#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

int* volatile* word(int i);
int holds_pointer(int i);

static sigjmp_buf back;
static void refused(int signal) {
  (void)signal;
  siglongjmp(back, 1);
}

static const char* store(int i) {
  if (sigsetjmp(back, 1)) return "read-only";
  *word(i) = *word(i);
  return "written";
}

int main(void) {
  static const char* const names[] = {"first part", "second part", "data"};
  signal(SIGSEGV, refused);
  for (int i = 0; i < 3; ++i)
    printf("%s: %s, %s\n", names[i], store(i),
           holds_pointer(i) ? "holds its pointer" : "holds something else");
}
