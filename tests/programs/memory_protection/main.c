// What is writable, executable, readable and random in a process once its program runs.
#include "../check.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

struct mapping {
  uintptr_t start, end;
  char perms[5];
  char path[256];
};
static struct mapping mappings[512];
static int mapping_count;

static void read_mappings(void) {
  static char text[1 << 17];
  int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  size_t length = 0;
  ssize_t got;
  while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0) length += (size_t)got;
  close(fd);
  text[length] = 0;
  mapping_count = 0;
  for (char* line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    struct mapping* m = &mappings[mapping_count++];
    m->path[0] = 0;
    sscanf(line, "%lx-%lx %4s %*x %*x:%*x %*u %255s", &m->start, &m->end, m->perms, m->path);
  }
}

static const struct mapping* mapping_at(uintptr_t address) {
  for (int i = 0; i < mapping_count; ++i)
    if (address >= mappings[i].start && address < mappings[i].end) return &mappings[i];
  return NULL;
}

static int nothing_is_writable_and_executable(void) {
  read_mappings();
  for (int i = 0; i < mapping_count; ++i)
    if (mappings[i].perms[1] == 'w' && mappings[i].perms[2] == 'x') return 0;
  return 1;
}

struct audit {
  int modules, bad;
};

static int check_relro(struct dl_phdr_info* info, size_t size, void* data) {
  (void)size;
  struct audit* audit = (struct audit*)data;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)* p = &info->dlpi_phdr[i];
    if (p->p_type != PT_GNU_RELRO) continue;
    ++audit->modules;
    uintptr_t from = (info->dlpi_addr + p->p_vaddr) & ~(uintptr_t)4095;
    uintptr_t to = (info->dlpi_addr + p->p_vaddr + p->p_memsz) & ~(uintptr_t)4095;
    for (; from < to; from += 4096) {
      const struct mapping* m = mapping_at(from);
      if (m == NULL || m->perms[1] == 'w') ++audit->bad;
    }
  }
  return 0;
}

static int check_gaps(struct dl_phdr_info* info, size_t size, void* data) {
  (void)size;
  struct audit* audit = (struct audit*)data;
  uintptr_t end = 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)* p = &info->dlpi_phdr[i];
    if (p->p_type != PT_LOAD) continue;
    uintptr_t from = info->dlpi_addr + p->p_vaddr;
    for (uintptr_t at = (end + 4095) & ~(uintptr_t)4095;
         end != 0 && at + 4096 <= (from & ~(uintptr_t)4095); at += 4096) {
      const struct mapping* m = mapping_at(at);
      if (m != NULL && m->perms[0] == 'r' &&
          strstr(m->path, last_component(info->dlpi_name)) != NULL)
        ++audit->bad;
    }
    end = from + p->p_memsz;
    ++audit->modules;
  }
  return 0;
}

static uintptr_t thread_word(int offset) {
  uintptr_t value = 0;
#ifdef __x86_64__
  if (offset == 0x28) __asm__("mov %%fs:0x28, %0" : "=r"(value));
  if (offset == 0x30) __asm__("mov %%fs:0x30, %0" : "=r"(value));
#endif
  return value;
}

static void* thread_guards(void* words) {
  ((uintptr_t*)words)[0] = thread_word(0x28);
  ((uintptr_t*)words)[1] = thread_word(0x30);
  return NULL;
}

static int only_standard_descriptors(void) {
  for (int fd = 3; fd < 256; ++fd)
    if (fcntl(fd, F_GETFD) >= 0) return 0;
  return 1;
}

// Runs this program again with an argument, its output in `output`.
static char* argument_;
static void run_again(void* filtered) {
  if (filtered != NULL) {
    // mmap and mprotect with PROT_WRITE | PROT_EXEC fail: the third argument's low word.
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, PROT_WRITE | PROT_EXEC),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PROT_WRITE | PROT_EXEC, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) give_up("seccomp");
  }
  for (int fd = 3; fd < 256; ++fd) close(fd);
  Dl_info info;
  dladdr((void*)run_again, &info);
  execl(info.dli_fname, info.dli_fname, argument_, (char*)NULL);
  _exit(98);
}

static int again(char* argument, int filtered, char* output, size_t size) {
  argument_ = argument;
  return in_child(run_again, filtered ? &argument_ : NULL, output, size);
}

static int is_sealed(const char* library) {
  static char line[512];
  FILE* maps = fopen("/proc/self/smaps", "re");
  int inside = 0, sealed = 0;
  while (fgets(line, sizeof line, maps) != NULL) {
    char perms[5];
    if (sscanf(line, "%*x-%*x %4s", perms) == 1 && strchr(line, '-') != NULL)
      inside = strstr(line, library) != NULL && perms[2] == 'x';
    else if (inside && strncmp(line, "VmFlags:", 8) == 0)
      sealed = strstr(line, " sl") != NULL;
  }
  fclose(maps);
  return sealed;
}

/// Once there was a second thread.
static int tables_are_sealed(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  uintptr_t at = (uintptr_t)dlvsym(RTLD_DEFAULT, "_rtld_global_ro", "GLIBC_PRIVATE") & -page;
  return mprotect((void*)at, page, PROT_READ | PROT_WRITE) != 0;
}

static int kernel_seals(void) {
  struct utsname name;
  int major = 0, minor = 0;
  uname(&name);
  sscanf(name.release, "%d.%d", &major, &minor);
  return major > 6 || (major == 6 && minor >= 10);
}

static void exercise(void) {
  if (call_int(must_open(beside_program("liblib.so"), RTLD_NOW), "lib") != 42) _exit(1);
  pthread_t thread;
  uintptr_t words[2];
  pthread_create(&thread, NULL, thread_guards, words);
  pthread_join(thread, NULL);
}

static void print_places(void) {
  int local;
  printf("%p %p %p %p %lx %lx %lx\n", (void*)print_places, dlsym(RTLD_DEFAULT, "printf"),
         dlsym(RTLD_DEFAULT, "_rtld_global_ro"), (void*)&local, thread_word(0x28),
         thread_word(0x30), thread_word(0x10));
}

static int all_differ(void) {
  enum { kRuns = 8, kPlaces = 6 };
  static char places[kRuns][kPlaces][32];
  for (int i = 0; i < kRuns; ++i) {
    char output[256];
    if (again((char*)"places", 0, output, sizeof output) != 0) return 0;
    sscanf(output, "%31s %31s %31s %31s %31s %31s", places[i][0], places[i][1], places[i][2],
           places[i][3], places[i][4], places[i][5]);
    for (int j = 0; j < i; ++j)
      for (int k = 0; k < kPlaces; ++k)
        if (strcmp(places[i][k], places[j][k]) == 0 || places[i][k][0] == 0) return 0;
  }
  return 1;
}

/// From libc to the loader, or to thread-local storage: three different ones in eight runs.
static int distances_differ(void) {
  enum { kRuns = 8 };
  uintptr_t distances[2][kRuns];
  int different[2] = {0, 0};
  for (int i = 0; i < kRuns; ++i) {
    char output[256];
    uintptr_t libc = 0, loader = 0, tls = 0;
    if (again((char*)"places", 0, output, sizeof output) != 0) return 0;
    if (sscanf(output, "%*s %lx %lx %*s %*s %*s %lx", &libc, &loader, &tls) != 3) return 0;
    distances[0][i] = loader - libc;
    distances[1][i] = tls - libc;
    for (int k = 0; k < 2; ++k) {
      int seen = 0;
      for (int j = 0; j < i; ++j) seen |= distances[k][j] == distances[k][i];
      different[k] += !seen;
    }
  }
  return different[0] >= 3 && different[1] >= 3;
}

static void patch_flags(const char* from, const char* to) {
  size_t size = read_file(from);
  Elf64_Ehdr* header = (Elf64_Ehdr*)file_bytes;
  Elf64_Phdr* p = (Elf64_Phdr*)(file_bytes + header->e_phoff);
  for (int i = 0; i < header->e_phnum; ++i)
    if (p[i].p_type == PT_LOAD && (p[i].p_flags & PF_X) != 0) p[i].p_flags |= PF_W;
  write_file(to, file_bytes, size);
}

static void result(const char* what, int holds) {
  printf("%s: %s\n", what, holds ? "ok" : "no");
  fflush(stdout);
}

static int runs_without_write_and_execute(void) {
  static char output[512];
  return nothing_is_writable_and_executable() &&
         again((char*)"exercise", 1, output, sizeof output) == 0;
}

static int relro_is_read_only(void) {
  struct audit audit = {0, 0};
  read_mappings();
  dl_iterate_phdr(check_relro, &audit);
  return audit.modules >= 4 && audit.bad == 0;
}

static int tables_are_read_only(void) {
  const struct mapping* m = mapping_at((uintptr_t)dlsym(RTLD_DEFAULT, "_rtld_global_ro"));
  return m != NULL && m->perms[1] == '-';
}

static int stack_stays(void) {
  int local;
  void* handle = dlopen(beside_program("libstack.so"), RTLD_NOW);
  read_mappings();
  return handle != NULL && mapping_at((uintptr_t)&local)->perms[2] == '-';
}

static int writable_text_is_refused(void) {
  patch_flags(beside_program("liblib.so"), in_scratch("libwx.so"));
  if (dlopen(in_scratch("libwx.so"), RTLD_NOW) != NULL) return 0;
  return strstr(dlerror(), "MYLD_ALLOW=wx") != NULL;
}

static int guards_hold(void) {
  uintptr_t words[2] = {0, 0}, canary = thread_word(0x28), guard = thread_word(0x30);
  pthread_t thread;
  pthread_create(&thread, NULL, thread_guards, words);
  pthread_join(thread, NULL);
  return (canary & 0xff) == 0 && canary != 0 && guard != 0 && guard != canary &&
         words[0] == canary && words[1] == guard;
}

static int gaps_are_closed(void) {
  struct audit audit = {0, 0};
  read_mappings();
  dl_iterate_phdr(check_gaps, &audit);
  return audit.modules > 8 && audit.bad == 0;
}

int main(int argc, char** argv) {
  static char output[512];
  if (argc > 1 && strcmp(argv[1], "places") == 0) {
    print_places();
    return 0;
  }
  if (argc > 1 && strcmp(argv[1], "exercise") == 0) {
    exercise();
    return 0;
  }
  if (argc > 1) return only_standard_descriptors() ? 0 : 1;
  exercise();
  read_mappings();
  result("R11 nothing is ever writable and executable", runs_without_write_and_execute());
  result("R12 RELRO of the program, its libraries and the loader", relro_is_read_only());
  result("R13 the tables that libc calls through are read-only", tables_are_read_only());
  result("R16 stack guard and pointer guard", guards_hold());
  result("R17 places and guards differ in every run", all_differ());
  result("R17 the distances between them, too", distances_differ());
  result("R19 no descriptor is left open",
         again((char*)"descriptors", 0, output, sizeof output) == 0);
  result("R19 no gap between segments can be read", gaps_are_closed());
  result("R20 what is never unloaded is sealed",
         !kernel_seals() || (is_sealed("/libc.so") && tables_are_sealed()));
  result("R15 writable text is refused, and the error names the switch",
         writable_text_is_refused());
  int text = call_int(must_open(beside_program("libtext.so"), RTLD_NOW), "text");
  result("R15 text relocations are done without writable and executable memory",
         text == 42 && nothing_is_writable_and_executable());
  result("R14 a library that asks for an executable stack does not get one", stack_stays());
  return 0;
}
