// What a program finds at its very first instruction: the stack as the kernel lays it out, with the
// auxiliary vector speaking of the program, however it was started. The entry point is our own.
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

void entry_point(void);

#if defined(__x86_64__)
__asm__(".globl entry_point\nentry_point: xor %ebp, %ebp\n mov %rsp, %rdi\n mov %rdx, %rsi\n"
        "and $-16, %rsp\n call from_entry\n");
#elif defined(__aarch64__)
__asm__(".globl entry_point\nentry_point: mov x1, x0\n mov x0, sp\n b from_entry\n");
#elif defined(__riscv)
__asm__(".globl entry_point\nentry_point: mv a1, a0\n mv a0, sp\n tail from_entry\n");
#endif

static const char* right(int is) { return is ? "right" : "WRONG"; }

static void check_headers(unsigned long at_phdr, unsigned long at_phent, unsigned long at_phnum) {
  ElfW(Ehdr) file;
  ElfW(Phdr) headers[64];
  int fd = open((const char*)getauxval(AT_EXECFN), O_RDONLY);
  if (pread(fd, &file, sizeof file, 0) != sizeof file) puts("cannot read AT_EXECFN");
  printf("AT_PHENT %s, AT_PHNUM %s\n", right(at_phent == file.e_phentsize),
         right(at_phnum == file.e_phnum));
  size_t size = file.e_phnum * sizeof headers[0];
  if (pread(fd, headers, size, file.e_phoff) != (ssize_t)size) puts("cannot read the headers");
  printf("AT_PHDR's contents are the file's: %s\n",
         right(memcmp((void*)at_phdr, headers, size) == 0));
  uintptr_t bias = 0, dynamic = 0;
  for (int i = 0; i < file.e_phnum; i++) {
    if (headers[i].p_type == PT_PHDR) bias = at_phdr - headers[i].p_vaddr;
    if (headers[i].p_type == PT_DYNAMIC) dynamic = headers[i].p_vaddr;
  }
  printf("AT_PHDR is where PT_PHDR says: %s\n", right(bias + dynamic == (uintptr_t)_DYNAMIC));
}

__attribute__((noreturn, used)) void from_entry(uintptr_t* stack, void (*finaliser)(void)) {
  int argc = (int)stack[0];
  char** argv = (char**)(stack + 1);
  char** envp = argv + argc + 1;
  char** end = envp;
  while (*end) end++;
  const ElfW(auxv_t)* auxv = (const ElfW(auxv_t)*)(end + 1);

  printf("stack pointer modulo 16: %d\n", (int)((uintptr_t)stack % 16));
  printf("finaliser: %s\n", finaliser ? "given" : "none");
  for (int i = 0; i <= argc; i++) printf("argv[%d] = %s\n", i, argv[i] ? argv[i] : "(end)");
  for (char** e = envp; *e; e++) printf("env %s\n", *e);
  printf("environ is the stack's: %s\n", right(environ == envp));
  printf("AT_EXECFN = %s\n", (const char*)getauxval(AT_EXECFN));
  for (; auxv->a_type != AT_NULL; auxv++)
    if (getauxval(auxv->a_type) != auxv->a_un.a_val && auxv->a_type != AT_HWCAP)
      printf("getauxval(%lu) is not the stack's\n", (unsigned long)auxv->a_type);
  check_headers(getauxval(AT_PHDR), getauxval(AT_PHENT), getauxval(AT_PHNUM));
  printf("AT_ENTRY %s\n", right(getauxval(AT_ENTRY) == (uintptr_t)entry_point));
  printf("AT_PAGESZ is sysconf's: %s\n",
         right(getauxval(AT_PAGESZ) == (unsigned long)sysconf(_SC_PAGESIZE)));
  printf("AT_SECURE = %lu, AT_RANDOM %s, AT_SYSINFO_EHDR %s\n", getauxval(AT_SECURE),
         getauxval(AT_RANDOM) ? "given" : "none", getauxval(AT_SYSINFO_EHDR) ? "given" : "none");
  exit(7);
}
