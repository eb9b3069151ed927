// AT_BASE is the load address of the interpreter: debuggers and sanitizers start from it.
#include <elf.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>

extern const ElfW(Ehdr) __ehdr_start;

int main(void) {
  const ElfW(Ehdr)* base = (const ElfW(Ehdr)*)getauxval(AT_BASE);
  if (!base) return puts("AT_BASE is 0"), 1;
  printf("an ELF header: %s\n", memcmp(base->e_ident, ELFMAG, SELFMAG) == 0 ? "yes" : "no");
  printf("the program's own: %s\n", base == &__ehdr_start ? "yes" : "no");
  printf("a shared object: %s\n", base->e_type == ET_DYN ? "yes" : "no");
}
