#include "../bare.h"
#include <elf.h>

extern Elf64_Dyn _DYNAMIC[] __attribute__((visibility("hidden")));
extern char __ehdr_start[] __attribute__((visibility("hidden")));
extern char _end[] __attribute__((visibility("hidden")));
extern void variant(void);
void ordinary(void);
void call_variant(void);  // <isa>/call_variant.S

// The PLT slot of the function `name`.
static unsigned long* slot_of(const char* name) {
  const Elf64_Sym* symbols = 0;
  const char* strings = 0;
  const Elf64_Rela* slots = 0;
  unsigned long bytes = 0;
  for (const Elf64_Dyn* d = _DYNAMIC; d->d_tag != DT_NULL; ++d) {
    if (d->d_tag == DT_PLTRELSZ) bytes = d->d_un.d_val;
    unsigned long at = d->d_un.d_ptr;
    // The system's loader rewrites some of the addresses in place on some ISAs.
    if (at < (unsigned long)__ehdr_start) at += (unsigned long)__ehdr_start;
    if (d->d_tag == DT_SYMTAB) symbols = (const Elf64_Sym*)at;
    if (d->d_tag == DT_STRTAB) strings = (const char*)at;
    if (d->d_tag == DT_JMPREL) slots = (const Elf64_Rela*)at;
  }
  for (unsigned long i = 0; i < bytes / sizeof *slots; ++i) {
    const char* found = strings + symbols[ELF64_R_SYM(slots[i].r_info)].st_name;
    if (bare_length(found) == bare_length(name) && bare_equal(found, name, bare_length(name)))
      return (unsigned long*)(__ehdr_start + slots[i].r_offset);
  }
  bare_print("no such slot\n");
  bare_exit(2);
}

static int in_program(unsigned long address) {
  return address >= (unsigned long)__ehdr_start && address < (unsigned long)_end;
}

int bare_main(long argc, char** argv) {
  (void)argc;
  (void)argv;
  CHECK(!in_program(*slot_of("variant")));
  CHECK(in_program(*slot_of("ordinary")));
  ordinary();
  CHECK(!in_program(*slot_of("ordinary")));
  call_variant();
  return bare_failed;
}
