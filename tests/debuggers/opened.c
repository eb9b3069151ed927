#ifdef UNWIND
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#include <stdio.h>
// Walks its callers by libunwind, which finds each module's unwind tables through dl_iterate_phdr.
__attribute__((noinline)) int opened_inner(int n) {
  unw_context_t context;
  unw_cursor_t cursor;
  unw_getcontext(&context);
  unw_init_local(&cursor, &context);
  do {
    char name[100];
    unw_word_t offset;
    if (unw_get_proc_name(&cursor, name, sizeof name, &offset) == 0) puts(name);
  } while (unw_step(&cursor) > 0);
  return n;
}
#else
__attribute__((noinline)) int opened_inner(int n) { return n + 1; }
#endif
__attribute__((noinline)) int opened_outer(int n) { return opened_inner(n) + 1; }
