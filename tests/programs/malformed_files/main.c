// Damages one field at a time of a library that is fine and opens the result, in a child: a loader
// that is to be trusted refuses each of them with a text that names the file. A good library is
// opened afterwards in the same child.
#include "../check.h"
#include <sys/resource.h>

static size_t size_;

static Elf64_Ehdr* header(void) { return (Elf64_Ehdr*)file_bytes; }
static Elf64_Phdr* segment(unsigned type, int n) {
  Elf64_Phdr* p = (Elf64_Phdr*)(file_bytes + header()->e_phoff);
  for (int i = 0; i < header()->e_phnum; ++i)
    if (p[i].p_type == type && n-- == 0) return &p[i];
  give_up("no segment of type %u", type);
}
static void* at_address(uint64_t address) {
  Elf64_Phdr* p = (Elf64_Phdr*)(file_bytes + header()->e_phoff);
  for (int i = 0; i < header()->e_phnum; ++i)
    if (p[i].p_type == PT_LOAD && address - p[i].p_vaddr < p[i].p_filesz)
      return file_bytes + p[i].p_offset + (address - p[i].p_vaddr);
  give_up("nothing at %#lx", (unsigned long)address);
}
static Elf64_Dyn* entry(int64_t tag) {
  Elf64_Dyn* d = (Elf64_Dyn*)(file_bytes + segment(PT_DYNAMIC, 0)->p_offset);
  for (; d->d_tag != DT_NULL; ++d)
    if (d->d_tag == tag) return d;
  give_up("no dynamic entry %ld", (long)tag);
}
static void* table_of(int64_t tag) { return at_address(entry(tag)->d_un.d_ptr); }
static Elf64_Rela* relocation(unsigned type) {
  for (int plt = 0; plt < 2; ++plt) {
    Elf64_Rela* r = (Elf64_Rela*)table_of(plt ? DT_JMPREL : DT_RELA);
    size_t count = entry(plt ? DT_PLTRELSZ : DT_RELASZ)->d_un.d_val / sizeof *r;
    for (size_t i = 0; i < count; ++i)
      if (ELF64_R_TYPE(r[i].r_info) == type) return &r[i];
  }
  give_up("no relocation of type %u", type);
}
static Elf64_Sym* symbol(const char* name) {
  const char* strings = (const char*)table_of(DT_STRTAB);
  Elf64_Sym* s = (Elf64_Sym*)table_of(DT_SYMTAB);
  while (strcmp(strings + s->st_name, name) != 0) ++s;
  return s;
}

// Where the loader puts what a field points to, but nothing is.
#define NOWHERE 0x7fffffff0000

struct damage {
  const char* requirement;
  const char* what;
  void (*apply)(void);
};

#define DAMAGE(name, code)                                                                         \
  static void name(void) { code; }
DAMAGE(no_magic, file_bytes[0] = 0)
DAMAGE(class32, file_bytes[EI_CLASS] = ELFCLASS32)
DAMAGE(big_endian, file_bytes[EI_DATA] = ELFDATA2MSB)
DAMAGE(version0, header()->e_version = 0)
DAMAGE(type_core, header()->e_type = ET_CORE)
DAMAGE(machine0, header()->e_machine = 0)
DAMAGE(phentsize, header()->e_phentsize = 55)
DAMAGE(phnum0, header()->e_phnum = 0)
DAMAGE(phnum_many, header()->e_phnum = 0xfff0)
DAMAGE(phoff_end, header()->e_phoff = size_ - 8)
DAMAGE(phoff_wraps, header()->e_phoff = UINT64_MAX - 100)

DAMAGE(filesz_above_memsz, segment(PT_LOAD, 1)->p_filesz = segment(PT_LOAD, 1)->p_memsz + 1)
DAMAGE(offset_behind_file, segment(PT_LOAD, 1)->p_offset += 1 << 20)
DAMAGE(incongruent, segment(PT_LOAD, 1)->p_offset += 8)
DAMAGE(align_odd, segment(PT_LOAD, 1)->p_align = 0x1800)
DAMAGE(overlap, segment(PT_LOAD, 1)->p_vaddr = segment(PT_LOAD, 0)->p_vaddr)
DAMAGE(wraps, segment(PT_LOAD, 3)->p_memsz = UINT64_MAX - segment(PT_LOAD, 3)->p_vaddr)
DAMAGE(kernel_address, segment(PT_LOAD, 3)->p_vaddr += UINT64_C(1) << 63)
DAMAGE(huge, segment(PT_LOAD, 3)->p_memsz = UINT64_C(1) << 46)
// A fifth PT_LOAD, behind the others.
static void add_load(unsigned flags, uint64_t start, uint64_t filesz) {
  Elf64_Phdr* last = segment(PT_LOAD, 3);
  uint64_t offset = last->p_offset + (start - last->p_vaddr) % 0x1000;
  *segment(PT_GNU_STACK, 0) =
      (Elf64_Phdr){PT_LOAD, flags, offset, start, start, filesz, 16, 0x1000};
}
static uint64_t end_of_load(int n) {
  return segment(PT_LOAD, n)->p_vaddr + segment(PT_LOAD, n)->p_memsz;
}
DAMAGE(shared_unreadable, add_load(0, end_of_load(3), 16))
DAMAGE(shared_unwritable, add_load(PF_R, end_of_load(3), 16))
DAMAGE(shared_text, Elf64_Phdr* p = segment(PT_LOAD, 2); p->p_vaddr = end_of_load(1);
       p->p_offset = segment(PT_LOAD, 1)->p_offset + (p->p_vaddr - segment(PT_LOAD, 1)->p_vaddr))

DAMAGE(no_load, for (int i = 0; i < 4; ++i) segment(PT_LOAD, 0)->p_type = PT_NULL)

DAMAGE(dynamic_nowhere, segment(PT_DYNAMIC, 0)->p_vaddr = NOWHERE)
DAMAGE(two_dynamic, segment(PT_GNU_STACK, 0)->p_type = PT_DYNAMIC)
DAMAGE(tls_nowhere, segment(PT_TLS, 0)->p_vaddr = NOWHERE)
DAMAGE(tls_align, segment(PT_TLS, 0)->p_align = 24)
DAMAGE(tls_size, segment(PT_TLS, 0)->p_memsz = UINT64_C(1) << 60)
DAMAGE(relro_nowhere, segment(PT_GNU_RELRO, 0)->p_vaddr = NOWHERE)
DAMAGE(no_dynamic, segment(PT_DYNAMIC, 0)->p_type = PT_NULL)
DAMAGE(unreadable, segment(PT_LOAD, 0)->p_flags = 0)

DAMAGE(strtab_nowhere, entry(DT_STRTAB)->d_un.d_ptr = NOWHERE)
DAMAGE(symtab_nowhere, entry(DT_SYMTAB)->d_un.d_ptr = NOWHERE)
DAMAGE(symtab_odd, entry(DT_SYMTAB)->d_un.d_ptr += 3)
DAMAGE(syment, entry(DT_SYMENT)->d_un.d_val = 23)
DAMAGE(rela_nowhere, entry(DT_RELA)->d_un.d_ptr = NOWHERE)
DAMAGE(relasz_long, entry(DT_RELASZ)->d_un.d_val = 24 << 20)
DAMAGE(relasz_part, entry(DT_RELASZ)->d_un.d_val -= 1)
DAMAGE(relaent, entry(DT_RELAENT)->d_un.d_val = 0)
DAMAGE(pltrel, entry(DT_PLTREL)->d_un.d_val = DT_REL)
DAMAGE(jmprel_nowhere, entry(DT_JMPREL)->d_un.d_ptr = NOWHERE)
DAMAGE(init_array_long, entry(DT_INIT_ARRAYSZ)->d_un.d_val = UINT64_C(1) << 46)
DAMAGE(init_array_nowhere, entry(DT_INIT_ARRAY)->d_un.d_ptr = NOWHERE)
DAMAGE(no_end,
       for (Elf64_Dyn* d = entry(DT_SYMTAB);
            (unsigned char*)d <
            file_bytes + segment(PT_DYNAMIC, 0)->p_offset + segment(PT_DYNAMIC, 0)->p_filesz;
            ++d) if (d->d_tag == DT_NULL) d->d_tag = DT_DEBUG)

DAMAGE(strsz0, entry(DT_STRSZ)->d_un.d_val = 0)
DAMAGE(strsz_long, entry(DT_STRSZ)->d_un.d_val = UINT64_C(1) << 40)
DAMAGE(unterminated, ((char*)table_of(DT_STRTAB))[entry(DT_STRSZ)->d_un.d_val - 1] = 'x')
DAMAGE(needed_outside, entry(DT_NEEDED)->d_un.d_val = 1 << 20)
DAMAGE(soname_outside, entry(DT_SONAME)->d_un.d_val = UINT64_MAX)
DAMAGE(name_outside, symbol("snprintf")->st_name = 1 << 28)

DAMAGE(hash_nowhere, entry(DT_GNU_HASH)->d_un.d_ptr = NOWHERE)
DAMAGE(buckets0, ((uint32_t*)table_of(DT_GNU_HASH))[0] = 0)
DAMAGE(buckets_many, ((uint32_t*)table_of(DT_GNU_HASH))[0] = UINT32_MAX)
DAMAGE(hash_odd, entry(DT_GNU_HASH)->d_un.d_ptr += 4)
DAMAGE(bloom0, ((uint32_t*)table_of(DT_GNU_HASH))[2] = 0)
DAMAGE(bloom3, ((uint32_t*)table_of(DT_GNU_HASH))[2] = 3)

DAMAGE(offset_nowhere, relocation(R_X86_64_RELATIVE)->r_offset = NOWHERE)
DAMAGE(offset_in_text, relocation(R_X86_64_RELATIVE)->r_offset = segment(PT_LOAD, 1)->p_vaddr)
DAMAGE(offset_at_end,
       relocation(R_X86_64_GLOB_DAT)->r_offset = segment(PT_LOAD, 3)->p_vaddr +
                                                 segment(PT_LOAD, 3)->p_memsz - 4)
DAMAGE(offset_in_dynamic,
       relocation(R_X86_64_RELATIVE)->r_offset = segment(PT_DYNAMIC, 0)->p_vaddr + 8)
DAMAGE(symbol_outside,
       relocation(R_X86_64_GLOB_DAT)->r_info = ELF64_R_INFO(0xffffff, R_X86_64_GLOB_DAT))
DAMAGE(type_unknown, relocation(R_X86_64_RELATIVE)->r_info = 255)
DAMAGE(value_nowhere, symbol("table")->st_value = NOWHERE)
DAMAGE(value_behind, symbol("table")->st_value = ((end_of_load(3) + 0xfff) & ~0xfffull) + 1)
DAMAGE(slot_nowhere, relocation(R_X86_64_JUMP_SLOT)->r_offset = NOWHERE)
DAMAGE(slot_type, relocation(R_X86_64_JUMP_SLOT)->r_info = R_X86_64_RELATIVE)
DAMAGE(module_not_tls,
       relocation(R_X86_64_DTPMOD64)->r_info = ELF64_R_INFO(symbol("table") - symbol(""),
                                                            R_X86_64_DTPMOD64))

DAMAGE(verneed_nowhere, entry(DT_VERNEED)->d_un.d_ptr = NOWHERE)
DAMAGE(verneed_version, ((Elf64_Verneed*)table_of(DT_VERNEED))->vn_version = 9)
DAMAGE(vernaux_nowhere, ((Elf64_Verneed*)table_of(DT_VERNEED))->vn_aux = 0x7fffffff)
DAMAGE(vernaux_odd, ((Elf64_Verneed*)table_of(DT_VERNEED))->vn_aux = 17)
DAMAGE(verneed_name, ((Elf64_Verneed*)table_of(DT_VERNEED))->vn_file = 0x7fffffff)
DAMAGE(versym_unknown, for (int i = 1; i < 12; ++i)((Elf64_Half*)table_of(DT_VERSYM))[i] = 0x7ff0)
DAMAGE(resolver_in_data,
       relocation(R_X86_64_IRELATIVE)->r_addend = (int64_t)segment(PT_LOAD, 3)->p_vaddr)
DAMAGE(init_in_data, entry(DT_INIT)->d_un.d_ptr = segment(PT_LOAD, 3)->p_vaddr)
// The first word of DT_INIT_ARRAY is set by the first relative relocation.
DAMAGE(constructor_in_data,
       relocation(R_X86_64_RELATIVE)->r_addend = (int64_t)segment(PT_LOAD, 3)->p_vaddr)
DAMAGE(constructor_nowhere, relocation(R_X86_64_RELATIVE)->r_addend = NOWHERE)

static const struct damage kDamages[] = {
    {"R21", "magic", no_magic},
    {"R21", "class", class32},
    {"R21", "byte order", big_endian},
    {"R21", "version", version0},
    {"R21", "type", type_core},
    {"R21", "machine", machine0},
    {"R21", "e_phentsize", phentsize},
    {"R21", "no program headers", phnum0},
    {"R21", "too many program headers", phnum_many},
    {"R21", "program headers at the end", phoff_end},
    {"R21", "e_phoff wraps", phoff_wraps},
    {"R22", "p_filesz above p_memsz", filesz_above_memsz},
    {"R22", "segment behind the file", offset_behind_file},
    {"R22", "address and offset incongruent", incongruent},
    {"R22", "p_align no power of two", align_odd},
    {"R22", "overlapping segments", overlap},
    {"R22", "p_memsz wraps", wraps},
    {"R22", "address above the user range", kernel_address},
    {"R22", "64 TiB", huge},
    {"R22", "a page made unreadable by the next segment", shared_unreadable},
    {"R22", "a page made unwritable by the next segment", shared_unwritable},
    {"R22", "a page of text made unexecutable by the next segment", shared_text},
    {"R22", "nothing to load", no_load},
    {"R23", "PT_DYNAMIC nowhere", dynamic_nowhere},
    {"R23", "two PT_DYNAMIC", two_dynamic},
    {"R23", "PT_TLS nowhere", tls_nowhere},
    {"R23", "PT_TLS alignment", tls_align},
    {"R23", "PT_TLS size", tls_size},
    {"R23", "PT_GNU_RELRO nowhere", relro_nowhere},
    {"R23", "no PT_DYNAMIC", no_dynamic},
    {"R23", "tables in a segment that cannot be read", unreadable},
    {"R24", "DT_STRTAB nowhere", strtab_nowhere},
    {"R24", "DT_SYMTAB nowhere", symtab_nowhere},
    {"R24", "DT_SYMTAB misaligned", symtab_odd},
    {"R24", "DT_SYMENT", syment},
    {"R24", "DT_RELA nowhere", rela_nowhere},
    {"R24", "DT_RELASZ too long", relasz_long},
    {"R24", "DT_RELASZ no multiple", relasz_part},
    {"R24", "DT_RELAENT", relaent},
    {"R24", "DT_PLTREL", pltrel},
    {"R24", "DT_JMPREL nowhere", jmprel_nowhere},
    {"R24", "DT_INIT_ARRAYSZ", init_array_long},
    {"R24", "DT_INIT_ARRAY nowhere", init_array_nowhere},
    {"R24", "no DT_NULL", no_end},
    {"R25", "DT_STRSZ 0", strsz0},
    {"R25", "DT_STRSZ too long", strsz_long},
    {"R25", "no NUL at the end", unterminated},
    {"R25", "DT_NEEDED outside", needed_outside},
    {"R25", "DT_SONAME outside", soname_outside},
    {"R25", "st_name outside", name_outside},
    {"R26", "DT_GNU_HASH nowhere", hash_nowhere},
    {"R26", "no buckets", buckets0},
    {"R26", "too many buckets", buckets_many},
    {"R26", "bloom filter misaligned", hash_odd},
    {"R26", "no bloom filter", bloom0},
    {"R26", "bloom filter of three words", bloom3},
    {"R27", "r_offset nowhere", offset_nowhere},
    {"R27", "r_offset in text", offset_in_text},
    {"R27", "r_offset across the end", offset_at_end},
    {"R27", "r_offset in the dynamic section", offset_in_dynamic},
    {"R27", "symbol outside", symbol_outside},
    {"R27", "type unknown", type_unknown},
    {"R27", "value of a symbol nowhere", value_nowhere},
    {"R27", "value of a symbol behind the last page", value_behind},
    {"R27", "PLT slot nowhere", slot_nowhere},
    {"R27", "PLT slot of another type", slot_type},
    {"R27", "TLS module of no TLS symbol", module_not_tls},
    {"R28", "DT_VERNEED nowhere", verneed_nowhere},
    {"R28", "vn_version", verneed_version},
    {"R28", "vn_aux nowhere", vernaux_nowhere},
    {"R28", "vn_aux misaligned", vernaux_odd},
    {"R28", "vn_file outside", verneed_name},
    {"R28", "versions that are not defined", versym_unknown},
    {"R28", "resolver in data", resolver_in_data},
    {"R28", "DT_INIT in data", init_in_data},
    {"R28", "constructor in data", constructor_in_data},
    {"R28", "constructor nowhere", constructor_nowhere},
};

// What became of it, as the child's exit status.
enum { kRefused = 40, kLoaded, kNoText, kNotNamed, kAfterwards };

static void open_damaged(void* path) {
  struct rlimit no_core = {0, 0}, room = {UINT64_C(4) << 30, UINT64_C(4) << 30};
  setrlimit(RLIMIT_CORE, &no_core);
  setrlimit(RLIMIT_AS, &room);
  alarm(10);
  void* handle = dlopen((const char*)path, RTLD_NOW);
  if (handle != NULL) _exit(kLoaded);
  const char* text = dlerror();
  if (text == NULL) _exit(kNoText);
  if (strstr(text, (const char*)path) == NULL || dlerror() != NULL) _exit(kNotNamed);
  handle = dlopen(beside_program("libdamage.so"), RTLD_NOW);
  _exit(handle != NULL && call_int(handle, "damage") == 0 ? kRefused : kAfterwards);
}

static int is_refused(const struct damage* d, const char* path) {
  static char output[512];
  size_ = read_file(beside_program("libdamage.so"));
  if (d->apply != NULL) d->apply();
  write_file(path, file_bytes, size_);
  int status = in_child(open_damaged, (void*)path, output, sizeof output);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kRefused) return 1;
  const char* words[] = {"loaded", "no text", "file not named", "a good library fails afterwards"};
  int exited = WIFEXITED(status) ? WEXITSTATUS(status) - kLoaded : -1;
  if (getenv("SHOW") != NULL)
    fprintf(stderr, "%s %s: %s (%#x) %s\n", d->requirement, d->what,
            exited >= 0 && exited < 4 ? words[exited] : "died", status, output);
  return 0;
}

int main(void) {
  const size_t count = sizeof kDamages / sizeof kDamages[0];
  char* path = (char*)in_scratch("libdamaged.so");
  struct damage none = {"", "none", NULL};
  if (is_refused(&none, path)) give_up("the library is refused undamaged");
  const char* what[] = {"R21 every field of the ELF header",
                        "R22 every field of PT_LOAD",
                        "R23 the other program headers",
                        "R24 pointers and sizes of the dynamic section",
                        "R25 strings",
                        "R26 hash tables",
                        "R27 relocations",
                        "R28 versions, resolvers, constructors"};
  for (size_t w = 0; w < sizeof what / sizeof what[0]; ++w) {
    int all = 1;
    for (size_t i = 0; i < count; ++i)
      if (strncmp(kDamages[i].requirement, what[w], 3) == 0 && !is_refused(&kDamages[i], path))
        all = 0;
    printf("%s: %s\n", what[w], all ? "ok" : "not refused");
    fflush(stdout);
  }
  return 0;
}
