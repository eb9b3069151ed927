// Does the PLT slot of a() hold the function itself after a call?
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
int a(void);
int main(void) {
  printf("%d\n", a() + a());
  const Elf64_Rela* slots = NULL;
  const Elf64_Sym* symbols = NULL;
  const char* strings = NULL;
  size_t bytes = 0;
  for (const Elf64_Dyn* d = _DYNAMIC; d->d_tag != DT_NULL; ++d) {
    if (d->d_tag == DT_JMPREL) slots = (const void*)d->d_un.d_ptr;
    if (d->d_tag == DT_PLTRELSZ) bytes = d->d_un.d_val;
    if (d->d_tag == DT_SYMTAB) symbols = (const void*)d->d_un.d_ptr;
    if (d->d_tag == DT_STRTAB) strings = (const void*)d->d_un.d_ptr;
  }
  struct link_map* self = dlopen(NULL, RTLD_LAZY);
  for (size_t i = 0; i < bytes / sizeof *slots; ++i)
    if (strcmp(strings + symbols[ELF64_R_SYM(slots[i].r_info)].st_name, "a") == 0)
      printf("bound: %d\n",
             *(void**)(self->l_addr + slots[i].r_offset) == dlsym(RTLD_DEFAULT, "a"));
  return 0;
}
