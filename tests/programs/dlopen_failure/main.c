// Each kind of failure is provoked, and the process looked at before and after: its mappings, file
// descriptors, module list, what dl_iterate_phdr counts, what is global, which TLS module ID is
// next, and how often something may be closed.
#include "../check.h"
#include <sys/resource.h>

int constructor_runs;  // every library's constructor here counts, and none may run

struct picture {
  char maps[1 << 16];
  size_t anonymous;
  uint64_t descriptors[4];
  struct link_map* modules[64];
  size_t module_count;
  unsigned long long reported, added_less_removed;
  size_t tls_module_id;
  int constructor_runs;
};

static struct link_map* self;

// The mappings of files as text, and how many bytes are mapped without a file, but for the libc's
// heap and the stack.
static size_t read_maps(char* into, size_t size) {
  static char text[1 << 16];
  int fd = open("/proc/self/maps", O_RDONLY);
  size_t length = 0;
  ssize_t got = 0;
  while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0) length += (size_t)got;
  close(fd);
  text[length] = 0;
  char* out = into;
  size_t anonymous = 0, start = 0, end = 0;
  for (char* line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    if (strchr(line, '/') != NULL)
      out += snprintf(out, size - (size_t)(out - into), "%s\n", line);
    else if (strchr(line, '[') == NULL && sscanf(line, "%zx-%zx", &start, &end) == 2)
      anonymous += end - start;
  }
  return anonymous;
}

// A loader may keep memory of its own for the next time, but not more and more of it.
static int kept_for_next_time(size_t before, size_t after) {
  static size_t kept;
  if (after > before) kept += after - before;
  return kept <= 256 << 10;
}

static int count_step(struct dl_phdr_info* info, size_t size, void* data) {
  (void)size;
  struct picture* picture = (struct picture*)data;
  ++picture->reported;
  picture->added_less_removed = info->dlpi_adds - info->dlpi_subs;
  return 0;
}

static void take(struct picture* picture) {
  memset(picture, 0, sizeof *picture);
  void* tls = must_open("libtls.so", RTLD_NOW);
  if (dlinfo(tls, RTLD_DI_TLS_MODID, &picture->tls_module_id) != 0) give_up("RTLD_DI_TLS_MODID");
  dlclose(tls);
  picture->constructor_runs = constructor_runs;
  for (int fd = 0; fd < 256; ++fd)
    if (fcntl(fd, F_GETFD) != -1) picture->descriptors[fd / 64] |= 1ull << fd % 64;
  for (struct link_map* map = self; map != NULL; map = map->l_next)
    picture->modules[picture->module_count++] = map;
  dl_iterate_phdr(count_step, picture);
  picture->anonymous = read_maps(picture->maps, sizeof picture->maps);
}

static int same(const struct picture* a, const struct picture* b) {
  int all = 1;
#define COMPARE(condition, what)                                                                   \
  if (!(condition)) all = 0, printf("  changed: %s\n", what)
  COMPARE(strcmp(a->maps, b->maps) == 0, "the mappings of files");
  COMPARE(kept_for_next_time(a->anonymous, b->anonymous), "the size of the mappings without file");
  COMPARE(memcmp(a->descriptors, b->descriptors, sizeof a->descriptors) == 0, "descriptors");
  COMPARE(a->module_count == b->module_count &&
              memcmp(a->modules, b->modules, sizeof a->modules) == 0,
          "the module list");
  COMPARE(a->reported == b->reported, "what dl_iterate_phdr reports");
  COMPARE(a->added_less_removed == b->added_less_removed, "the counts of dl_iterate_phdr");
  COMPARE(a->tls_module_id == b->tls_module_id, "the next TLS module ID");
  COMPARE(a->constructor_runs == b->constructor_runs, "a constructor ran");
  return all;
}

// dlopen(file) must fail, name both texts, and leave no trace; three times, for a second failure
// must not differ from the first.
static int fails_cleanly(const char* file, int mode, const char* text1, const char* text2) {
  static struct picture before, after;
  for (int i = 0; i < 3; ++i) {
    take(&before);
    if (dlopen(file, mode) != NULL) return 0;
    const char* text = dlerror();
    if (text == NULL || strstr(text, text1) == NULL || strstr(text, text2) == NULL) {
      printf("  dlerror says: %s\n", text != NULL ? text : "(nothing)");
      return 0;
    }
    take(&after);
    if (!same(&before, &after)) return 0;
  }
  return 1;
}

static void limit(int resource, rlim_t value) {
  struct rlimit limits;
  getrlimit(resource, &limits);
  limits.rlim_cur = value;
  if (setrlimit(resource, &limits) != 0) give_up("setrlimit");
}

static rlim_t limit_now(int resource) {
  struct rlimit limits;
  getrlimit(resource, &limits);
  return limits.rlim_cur;
}

// A copy of the good library with `length` bytes at `offset` replaced.
static const char* spoiled(const char* name, size_t offset, const void* bytes, size_t length) {
  size_t size = read_file(beside_program("libgood.so"));
  memcpy(file_bytes + offset, bytes, length);
  const char* path = in_scratch(name);
  write_file(path, file_bytes, size);
  return path;
}

int main(void) {
  static const char missing[] = "cannot open shared object file: No such file or directory";
  void* null = dlopen(NULL, RTLD_NOW);
  self = first_module(null);
  // A loader may map its cache of names at the first search, and keep it.
  dlopen("no-such-file.so", RTLD_NOW);

  CHECK("S10 a missing file") {
    EXPECT(fails_cleanly("no-such-file.so", RTLD_NOW, "no-such-file.so", missing));
    EXPECT(fails_cleanly("/no/such/file.so", RTLD_NOW, "/no/such/file.so", missing));
    EXPECT(fails_cleanly("/tmp", RTLD_NOW, "/tmp", "Is a directory"));
  }
  CHECK("S10 a file that may not be read") {
    copy_file(beside_program("libgood.so"), in_scratch("unreadable.so"));
    chmod(in_scratch("unreadable.so"), 0);
    chmod(scratch_directory(), 0755);
    static struct picture before, after;
    take(&before);
    // Root may read everything, so be somebody else for the moment.
    int was_root = geteuid() == 0;
    if (was_root && seteuid(65534) != 0) give_up("seteuid");
    EXPECT(dlopen(in_scratch("unreadable.so"), RTLD_NOW) == NULL);
    if (was_root && seteuid(0) != 0) give_up("seteuid");
    EXPECT(error_names("unreadable.so: cannot open shared object file: Permission denied"));
    take(&after);
    EXPECT(same(&before, &after));
  }
  CHECK("S10 a file that is no library for this machine") {
    const unsigned char class32 = ELFCLASS32, big_endian = ELFDATA2MSB, none = 0;
    const uint16_t machine = EM_SPARC, relocatable = ET_REL, executable = ET_EXEC;
    write_file(in_scratch("text.so"), "GROUP ( libother.so )\n", 22);
    EXPECT(fails_cleanly(in_scratch("text.so"), RTLD_NOW, "text.so", "file too short"));
    EXPECT(
        fails_cleanly(spoiled("magic.so", 0, "no", 2), RTLD_NOW, "magic.so", "invalid ELF header"));
    EXPECT(fails_cleanly(spoiled("class.so", EI_CLASS, &class32, 1), RTLD_NOW, "class.so",
                         "wrong ELF class: ELFCLASS32"));
    EXPECT(fails_cleanly(spoiled("order.so", EI_DATA, &big_endian, 1), RTLD_NOW, "order.so",
                         "order.so"));
    EXPECT(fails_cleanly(spoiled("version.so", EI_VERSION, &none, 1), RTLD_NOW, "version.so",
                         "version.so"));
    EXPECT(fails_cleanly(spoiled("machine.so", offsetof(ElfW(Ehdr), e_machine), &machine, 2),
                         RTLD_NOW, "machine.so", "machine.so"));
    EXPECT(fails_cleanly(spoiled("object.so", offsetof(ElfW(Ehdr), e_type), &relocatable, 2),
                         RTLD_NOW, "object.so", "only ET_DYN and ET_EXEC can be loaded"));
    EXPECT(fails_cleanly(spoiled("executable.so", offsetof(ElfW(Ehdr), e_type), &executable, 2),
                         RTLD_NOW, "executable.so", "cannot dynamically load executable"));
    EXPECT(fails_cleanly(beside_program("pie"), RTLD_NOW, "pie",
                         "cannot dynamically load position-independent executable"));
  }
  CHECK("S10 a truncated file") {
    size_t size = read_file(beside_program("libgood.so"));
    if (size < 200) give_up("libgood.so is too small");
    write_file(in_scratch("empty.so"), "", 0);
    EXPECT(fails_cleanly(in_scratch("empty.so"), RTLD_NOW, "empty.so", "file too short"));
    read_file(beside_program("libgood.so"));
    write_file(in_scratch("header.so"), file_bytes, 40);
    EXPECT(fails_cleanly(in_scratch("header.so"), RTLD_NOW, "header.so", "file too short"));
  }
  CHECK("S10 a relocation that cannot be done") {
    EXPECT(fails_cleanly("libno-function.so", RTLD_NOW, "libno-function.so",
                         "undefined symbol: missing_function"));
    EXPECT(fails_cleanly("libno-object.so", RTLD_LAZY, "libno-object.so",
                         "undefined symbol: missing_object"));
    EXPECT(fails_cleanly("libno-version.so", RTLD_LAZY, "libno-version.so",
                         "version `NEW_2' not found"));
  }
  CHECK("S11 no descriptors, no room for TLS") {
    rlim_t files = limit_now(RLIMIT_NOFILE);
    static struct picture before, after;
    take(&before);
    const char* path = beside_program("libgood.so");
    limit(RLIMIT_NOFILE, 3);
    EXPECT(dlopen(path, RTLD_NOW) == NULL);
    limit(RLIMIT_NOFILE, files);
    EXPECT(error_names("libgood.so: cannot open shared object file: Too many open files"));
    take(&after);
    EXPECT(same(&before, &after));

    EXPECT(fails_cleanly("libhuge-tls.so", RTLD_NOW, "libhuge-tls.so",
                         "cannot allocate memory in static TLS block"));
  }
  CHECK("S11 nothing becomes global, and nothing that is global ceases to be") {
    void* held = must_open("libheld.so", RTLD_NOW | RTLD_LOCAL);
    EXPECT(
        fails_cleanly("libheld-and-missing.so", RTLD_NOW | RTLD_GLOBAL, "libmissing.so", missing));
    EXPECT(fails_cleanly("libheld-and-undefined.so", RTLD_NOW | RTLD_GLOBAL,
                         "libheld-and-undefined.so", "undefined symbol: missing_function"));
    EXPECT(dlsym(null, "in_held") == NULL);
    EXPECT(dlsym(null, "in_parent") == NULL);
    // Nor has it been given a reference.
    EXPECT(dlclose(held) == 0);
    EXPECT(!module_loaded("libheld.so"));
    held = must_open("libheld.so", RTLD_NOW | RTLD_GLOBAL);
    EXPECT(
        fails_cleanly("libheld-and-missing.so", RTLD_NOW | RTLD_LOCAL, "libmissing.so", missing));
    EXPECT(dlsym(null, "in_held") != NULL);
    EXPECT(dlclose(held) == 0);
    EXPECT(!module_loaded("libheld.so"));
  }
  CHECK("S12 a dependency that fails takes everything with it") {
    EXPECT(fails_cleanly("libheld-and-missing.so", RTLD_NOW, "libmissing.so", missing));
    EXPECT(!module_loaded("libheld.so") && !module_loaded("libheld-and-missing.so"));
    EXPECT(fails_cleanly("libneeds-no-function.so", RTLD_NOW, "libno-function.so",
                         "undefined symbol: missing_function"));
    EXPECT(!module_loaded("libno-function.so") && !module_loaded("libneeds-no-function.so"));
    // The same call succeeds when the reason is gone.
    void* handle = dlopen("libneeds-no-function.so", RTLD_LAZY);
    EXPECT(handle != NULL && dlclose(handle) == 0);
    constructor_runs = 0;
  }
  return check_status();
}
