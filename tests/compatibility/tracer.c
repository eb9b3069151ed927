// Traces the calls of a few functions, as latrace does, and as Spindle does puts another file in
// the place of the one that was found, and another function in the place of the one that is bound.
#define _GNU_SOURCE
#include <link.h>
#include <stdio.h>
#include <string.h>

static int is_traced(const char* name) {
  return strcmp(name, "a") == 0 || strcmp(name, "b") == 0 || strcmp(name, "caller") == 0 ||
         strcmp(name, "callee") == 0 || strcmp(name, "value") == 0;
}
static const char* base(const char* path) {
  const char* slash = strrchr(path, '/');
  return slash == NULL ? path : slash + 1;
}

unsigned la_version(unsigned version) { return LAV_CURRENT; }

unsigned la_objopen(struct link_map* map, Lmid_t lmid, uintptr_t* cookie) {
#ifdef FROM
  return strcmp(base(map->l_name), FROM) == 0 ? LA_FLG_BINDFROM : LA_FLG_BINDTO;
#else
  return LA_FLG_BINDTO | LA_FLG_BINDFROM;
#endif
}

#ifdef REDIRECT
char* la_objsearch(const char* name, uintptr_t* cookie, unsigned flag) {
  static char other[4096];
  if (flag == LA_SER_ORIG || strcmp(base(name), REDIRECT) != 0) return (char*)name;
  snprintf(other, sizeof other, "other/%s", base(name));
  return other;
}
#endif

#ifdef GIVE_UP
char* la_objsearch(const char* name, uintptr_t* cookie, unsigned flag) {
  return strcmp(base(name), GIVE_UP) == 0 ? NULL : (char*)name;
}
#endif

#ifdef CHANGE
static int other_b(void) { return 77; }
#endif

#ifndef NO_SYMBIND
uintptr_t la_symbind64(Elf64_Sym* symbol,
                       unsigned index,
                       uintptr_t* from,
                       uintptr_t* to,
                       unsigned* flags,
                       const char* name) {
  if (!is_traced(name)) {
    *flags |= LA_SYMB_NOPLTENTER | LA_SYMB_NOPLTEXIT;
    return symbol->st_value;
  }
  fprintf(stderr, "symbind %s %#x\n", name, *flags);
#ifdef QUIET
  if (strcmp(name, "b") == 0) *flags |= LA_SYMB_NOPLTENTER | LA_SYMB_NOPLTEXIT;
#endif
#ifdef CHANGE
  if (strcmp(name, "b") == 0) return (uintptr_t)other_b;
#endif
  return symbol->st_value;
}
#endif

#ifndef NO_CALLS
Elf64_Addr la_x86_64_gnu_pltenter(Elf64_Sym* symbol,
                                  unsigned index,
                                  uintptr_t* from,
                                  uintptr_t* to,
                                  La_x86_64_regs* registers,
                                  unsigned* flags,
                                  const char* name,
                                  long* frame_bytes) {
  if (!is_traced(name)) return symbol->st_value;
  fprintf(stderr, "enter %s(%d) %#x\n", name, (int)registers->lr_rdi & 0xff, *flags);
#ifdef ARGUMENT
  if (strcmp(name, "callee") == 0) registers->lr_rdi += ARGUMENT;
#endif
#ifdef ONCE
  *flags |= LA_SYMB_NOPLTENTER | LA_SYMB_NOPLTEXIT;
#endif
#ifndef NO_EXIT
  *frame_bytes = 64;
#endif
  return symbol->st_value;
}

unsigned la_x86_64_gnu_pltexit(Elf64_Sym* symbol,
                               unsigned index,
                               uintptr_t* from,
                               uintptr_t* to,
                               const La_x86_64_regs* registers,
                               La_x86_64_retval* result,
                               const char* name) {
  if (is_traced(name)) fprintf(stderr, "exit %s = %d\n", name, (int)result->lrv_rax);
  return 0;
}
#endif
