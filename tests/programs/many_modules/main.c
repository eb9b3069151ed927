// Thousands of libraries, needed by one, in a chain, in rings and in circles; one library with very
// many of everything; and a process that may not map any more. The libraries are written here: no
// code, only what a loader reads.
#include "../check.h"
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>

static void result(const char* what, int holds) {
  printf("%s: %s\n", what, holds ? "ok" : "no");
  fflush(stdout);
}

static double seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);  // the machine may be busy
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

// ---- a library in memory

static unsigned char image_[12 << 20];
static char strings_[8 << 20];
static size_t strings_size_, dynamic_count_;
static Elf64_Dyn dynamic_[70000];

static void begin(void) {
  strings_size_ = 1;
  dynamic_count_ = 0;
}
static void add(int64_t tag, uint64_t value) {
  dynamic_[dynamic_count_].d_tag = tag;
  dynamic_[dynamic_count_++].d_un.d_val = value;
}
static void add_string(int64_t tag, const char* text) {
  add(tag, strings_size_);
  size_t n = strlen(text) + 1;
  memcpy(strings_ + strings_size_, text, n);
  strings_size_ += n;
}
static void add_name(int64_t tag, const char* format, int number) {
  char name[64];
  snprintf(name, sizeof name, format, number);
  add_string(tag, name);
}

// ELF header, program headers, dynamic section, one symbol, a hash table, strings: one segment.
static void write_library(const char* path, int empty_headers) {
  int headers = 2 + empty_headers;
  size_t at = sizeof(Elf64_Ehdr) + (size_t)headers * sizeof(Elf64_Phdr);
  size_t dynamic = at;
  at += (dynamic_count_ + 6) * sizeof(Elf64_Dyn);
  size_t symbols = at;
  at += sizeof(Elf64_Sym);
  size_t hash = at;
  at += 4 * sizeof(uint32_t);
  size_t strings = at;
  at += strings_size_;
  memset(image_, 0, at);
  add(DT_STRTAB, strings);
  add(DT_STRSZ, strings_size_);
  add(DT_SYMTAB, symbols);
  add(DT_SYMENT, sizeof(Elf64_Sym));
  add(DT_HASH, hash);
  add(DT_NULL, 0);
  ((uint32_t*)(image_ + hash))[0] = ((uint32_t*)(image_ + hash))[1] = 1;
  memcpy(image_ + dynamic, dynamic_, dynamic_count_ * sizeof(Elf64_Dyn));
  memcpy(image_ + strings, strings_, strings_size_);
  Elf64_Ehdr* e = (Elf64_Ehdr*)image_;
  memcpy(e->e_ident, "\177ELF\2\1\1", 7);
  e->e_type = ET_DYN;
  e->e_machine = EM_X86_64;
  e->e_version = 1;
  e->e_phoff = sizeof *e;
  e->e_ehsize = sizeof *e;
  e->e_phentsize = sizeof(Elf64_Phdr);
  e->e_phnum = (Elf64_Half)headers;
  Elf64_Phdr* p = (Elf64_Phdr*)(e + 1);
  // Writable: older loaders relocate the dynamic section where it lies.
  p[0] = (Elf64_Phdr){PT_LOAD, PF_R | PF_W, 0, 0, 0, at, at, 4096};
  p[1] = (Elf64_Phdr){PT_DYNAMIC,
                      PF_R | PF_W,
                      dynamic,
                      dynamic,
                      dynamic,
                      dynamic_count_ * sizeof(Elf64_Dyn),
                      dynamic_count_ * sizeof(Elf64_Dyn),
                      8};
  write_file(path, image_, at);
}

static char* path_of(const char* format, int number) {
  char name[64];
  snprintf(name, sizeof name, format, number);
  return (char*)in_scratch(name);
}

// Library `number` of `count` needs the ones at these distances behind it; `circle`: they close a
// ring.
static void write_set(const char* format, int count, int distances, int circle) {
  for (int i = 0; i < count; ++i) {
    begin();
    add_name(DT_SONAME, format, i);
    add_string(DT_RUNPATH, "$ORIGIN");
    for (int d = 1; d <= distances; ++d)
      if (i + d < count || circle) add_name(DT_NEEDED, format, (i + d) % count);
    write_library(path_of(format, i), 0);
  }
}

static int modules(void) {
  int count = 0;
  struct link_map* m = first_module(dlopen(NULL, RTLD_NOW));
  for (; m != NULL; m = m->l_next) ++count;
  return count;
}

// Opens and closes; false if it fails, takes longer or leaves something.
static int opens(const char* path, int expected, double most_seconds) {
  int before = modules();
  double start = seconds();
  void* handle = dlopen(path, RTLD_NOW);
  if (handle == NULL) {
    if (getenv("SHOW") != NULL) fprintf(stderr, "%s\n", dlerror());
    return 0;
  }
  int good = modules() - before == expected && dlclose(handle) == 0 && modules() == before;
  double took = seconds() - start;
  if (getenv("SHOW") != NULL) fprintf(stderr, "%s: %d, %.3f s\n", path, good, took);
  return good && took < most_seconds;
}

static int mappings(void) {
  int lines = 0, c;
  FILE* maps = fopen("/proc/self/maps", "r");
  if (maps == NULL) give_up("maps");
  while ((c = getc(maps)) != EOF) lines += c == '\n';
  fclose(maps);
  return lines;
}

// Opens a chain from its end, each by itself, and closes all. What a loader keeps for the next time
// is not in as many mappings: a process has a limited number of them.
static int keeps_few_mappings(const char* format, int count) {
  static void* handles[1000];
  int before = mappings();
  for (int i = count - 1; i >= 0; --i)
    if ((handles[i] = dlopen(path_of(format, i), RTLD_NOW)) == NULL) return 0;
  for (int i = 0; i < count; ++i) dlclose(handles[i]);
  int after = mappings();
  if (getenv("SHOW") != NULL) fprintf(stderr, "%d mappings, then %d\n", before, after);
  return after <= before + 6;
}

static void* open_deep(void* path) { return (void*)(intptr_t)opens((const char*)path, 1000, 5); }

static int with_small_stack(const char* path) {
  pthread_attr_t attributes;
  pthread_t thread;
  void* good = NULL;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 128 << 10);
  pthread_create(&thread, &attributes, open_deep, (void*)path);
  pthread_join(thread, &good);
  return good != NULL;
}

static int one_with_many(void) {
  static char name[1 << 20];
  int good = 1;
  begin();
  add_string(DT_SONAME, "libleaf.so");
  write_library(in_scratch("libleaf.so"), 0);
  begin();
  add_string(DT_RUNPATH, scratch_directory());
  for (int i = 0; i < 60000; ++i) add_string(DT_NEEDED, "libleaf.so");
  write_library(in_scratch("libneeds.so"), 0);
  good &= opens(in_scratch("libneeds.so"), 2, 1);
  begin();
  write_library(in_scratch("libheaders.so"), 5000);
  good &= opens(in_scratch("libheaders.so"), 1, 1);
  memset(name, 'n', sizeof name - 1);
  begin();
  add_string(DT_SONAME, name);
  write_library(in_scratch("libname.so"), 0);
  good &= opens(in_scratch("libname.so"), 1, 1);
  return good;
}

static int many_directories(void) {
  static char path[2 << 20];
  size_t n = 0;
  for (int i = 0; i < 65000; ++i) n += (size_t)sprintf(path + n, "/nonexistent/d%d:", i);
  sprintf(path + n, "%s", scratch_directory());
  begin();
  add_string(DT_RUNPATH, path);
  add_string(DT_NEEDED, "libleaf.so");
  write_library(in_scratch("libpath.so"), 0);
  return opens(in_scratch("libpath.so"), 2, 2);
}

static int without_address_space(void) {
  struct rlimit limit, none;
  static char text[64];
  int fd = open("/proc/self/statm", O_RDONLY);
  if (read(fd, text, sizeof text - 1) <= 0) give_up("statm");
  close(fd);
  getrlimit(RLIMIT_AS, &limit);
  none = limit;
  none.rlim_cur = strtoul(text, NULL, 10) * 4096 + (2 << 20);
  setrlimit(RLIMIT_AS, &none);
  void* handle = dlopen(path_of("libchain%d.so", 0), RTLD_NOW);
  int refused = handle == NULL && dlerror() != NULL;
  setrlimit(RLIMIT_AS, &limit);
  return refused && opens(path_of("libchain%d.so", 0), 1000, 5);
}

int main(void) {
  int before = modules();
  write_set("libchain%d.so", 1000, 1, 0);
  write_set("libring%d.so", 500, 1, 1);
  write_set("libmesh%d.so", 120, 119, 1);
  begin();
  add_string(DT_RUNPATH, "$ORIGIN");
  add_string(DT_SONAME, "libself.so");
  add_string(DT_NEEDED, "libself.so");
  write_library(in_scratch("libself.so"), 0);
  result("R43 a thousand, one by one, leave few mappings",
         keeps_few_mappings("libchain%d.so", 1000));
  result("R45 a chain of a thousand", opens(path_of("libchain%d.so", 0), 1000, 5));
  result("R45 the same on a stack of 128 KiB", with_small_stack(path_of("libchain%d.so", 0)));
  result("R45 a ring of five hundred", opens(path_of("libring%d.so", 0), 500, 5));
  result("R45 a hundred and twenty that all need each other",
         opens(path_of("libmesh%d.so", 0), 120, 5));
  result("R45 one that needs itself", opens(in_scratch("libself.so"), 1, 1));
  result("R46 60,000 needed libraries, 5,000 program headers, a name of a mebibyte",
         one_with_many());
  result("R46 65,000 directories to search, in less than two seconds", many_directories());
  result("R47 without address space: an error, and everything works afterwards",
         without_address_space());
  // As many as the kernel's limit of mappings allows with room to spare, all needed by one.
  begin();
  add_string(DT_RUNPATH, "$ORIGIN");
  write_set("libflat%d.so", 10000, 0, 0);
  begin();
  add_string(DT_RUNPATH, "$ORIGIN");
  for (int i = 0; i < 10000; ++i) add_name(DT_NEEDED, "libflat%d.so", i);
  write_library(in_scratch("libroot.so"), 0);
  result("R45 ten thousand, in less than a second of processor time",
         opens(in_scratch("libroot.so"), 10001, 1));
  result("R43 nothing of them is left", modules() == before);
  return 0;
}
