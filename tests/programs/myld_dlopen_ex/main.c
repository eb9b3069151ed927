// A program that asks its loader for more where it can: from a descriptor, from memory, from a part
// of a file, to a place of its choice. Under another loader the functions are not there, and it
// says so.
#include "../check.h"

#include "../../../include/myld.h"
#include <sys/mman.h>

static struct myld_open request(int source) {
  struct myld_open r = {.size = sizeof r, .source = source, .flags = RTLD_NOW, .ns = LM_ID_BASE};
  return r;
}

static int descriptors(void) {
  int count = 0;
  for (int fd = 0; fd < 256; ++fd) count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

// Can another process read the module's file under the name that the list of modules has for it?
static int others_find(void* handle) {
  unsigned char head[4] = {0};
  char command[PATH_MAX + 32];
  snprintf(command, sizeof command, "head -c 4 '%s'", module_of(handle)->l_name);
  FILE* f = popen(command, "r");
  size_t n = f == NULL ? 0 : fread(head, 1, 4, f);
  if (f != NULL) pclose(f);
  return n == 4 && memcmp(head, "\177ELF", 4) == 0;
}

static void* open_or_die(const struct myld_open* r) {
  void* handle = myld_dlopen_ex(r);
  if (handle == NULL) give_up("myld_dlopen_ex: %s", dlerror());
  return handle;
}

static void from_path(void) {
  struct myld_open r = request(MYLD_SOURCE_PATH);
  r.path = "libpart.so";
  void* handle = open_or_die(&r);
  EXPECT(call_int(handle, "next") == 42);
  EXPECT(handle == must_open("libpart.so", RTLD_NOW));
  EXPECT(dlclose(handle) == 0 && dlclose(handle) == 0 && !module_loaded("libpart.so"));
  r.ns = LM_ID_NEWLM;
  handle = open_or_die(&r);
  Lmid_t id = LM_ID_BASE;
  EXPECT(dlinfo(handle, RTLD_DI_LMID, &id) == 0 && id != LM_ID_BASE);
  EXPECT(dlclose(handle) == 0);
}

static void from_descriptor(void) {
  int before = descriptors();
  struct myld_open r = request(MYLD_SOURCE_DESCRIPTOR);
  r.fd = open(beside_program("libpart.so"), O_RDONLY);
  void* handle = open_or_die(&r);
  close(r.fd);
  EXPECT(descriptors() == before);
  EXPECT(call_int(handle, "next") == 42);
  EXPECT(strcmp(last_component(module_of(handle)->l_name), "libpart.so") == 0);
  EXPECT(others_find(handle));
  EXPECT(handle == must_open("libpart.so", RTLD_NOW));  // one file, one copy
  EXPECT(dlclose(handle) == 0 && dlclose(handle) == 0);
  EXPECT(descriptors() == before);
}

static void from_deleted_file(void) {
  int before = descriptors();
  const char* path = in_scratch("gone.so");
  copy_file(beside_program("libpart.so"), path);
  struct myld_open r = request(MYLD_SOURCE_DESCRIPTOR);
  r.fd = open(path, O_RDONLY);
  unlink(path);
  void* handle = open_or_die(&r);
  close(r.fd);
  EXPECT(call_int(handle, "next") == 42 && others_find(handle));
  EXPECT(dlclose(handle) == 0);
  EXPECT(descriptors() == before);
}

static void from_memory(void) {
  int before = descriptors();
  struct myld_open r = request(MYLD_SOURCE_MEMORY);
  r.length = read_file(beside_program("libpart.so"));
  r.bytes = file_bytes;
  void* first = open_or_die(&r);
  void* second = open_or_die(&r);
  EXPECT(first != second);
  EXPECT(call_int(first, "next") == 42 && call_int(first, "next") == 43);
  EXPECT(call_int(second, "next") == 42);
  EXPECT(others_find(first) && others_find(second));
  EXPECT(dlclose(first) == 0 && dlclose(second) == 0);
  EXPECT(descriptors() == before);
}

static void from_part_of_a_file(void) {
  size_t length = read_file(beside_program("libpart.so"));
  memmove(file_bytes + 777, file_bytes, length);
  memset(file_bytes, 'x', 777);
  memset(file_bytes + 777 + length, 'y', 999);
  write_file(in_scratch("archive"), file_bytes, 777 + length + 999);
  struct myld_open r = request(MYLD_SOURCE_DESCRIPTOR);
  r.fd = open(in_scratch("archive"), O_RDONLY);
  r.offset = 777;
  r.length = length;
  void* handle = open_or_die(&r);
  EXPECT(call_int(handle, "next") == 42 && others_find(handle));
  EXPECT(dlclose(handle) == 0);
  r.offset = 776;
  EXPECT(myld_dlopen_ex(&r) == NULL && error_names("invalid ELF header"));
  close(r.fd);
}

static void to_a_place(void) {
  size_t room = 1 << 20;
  char* place = mmap(NULL, room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  struct myld_open r = request(MYLD_SOURCE_PATH);
  r.path = "libpart.so";
  r.address = place;
  r.address_size = 4096;
  EXPECT(myld_dlopen_ex(&r) == NULL && error_names("libpart.so"));
  r.address_size = room;
  r.address = place + 8;
  EXPECT(myld_dlopen_ex(&r) == NULL && error_names("libpart.so"));
  r.address = place;
  void* handle = open_or_die(&r);
  EXPECT(module_of(handle)->l_addr == (ElfW(Addr))place);
  EXPECT(call_int(handle, "next") == 42);
  EXPECT(dlclose(handle) == 0 && !module_loaded("libpart.so"));
  // The range is reserved still: nothing else is given a part of it.
  EXPECT(mmap(place, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
         MAP_FAILED);
  handle = open_or_die(&r);
  EXPECT(module_of(handle)->l_addr == (ElfW(Addr))place && call_int(handle, "next") == 42);
  EXPECT(dlclose(handle) == 0 && munmap(place, room) == 0);
}

static void refused(void) {
  int before = descriptors();
  struct myld_open r = request(MYLD_SOURCE_MEMORY);
  r.bytes = "no library at all";
  r.length = 17;
  EXPECT(myld_dlopen_ex(&r) == NULL && error_names("file too short"));
  r = request(MYLD_SOURCE_DESCRIPTOR);
  r.fd = 200;
  EXPECT(myld_dlopen_ex(&r) == NULL && error_names("Bad file descriptor"));
  r = request(77);
  EXPECT(myld_dlopen_ex(&r) == NULL && error_names("invalid argument"));
  r = request(MYLD_SOURCE_PATH);
  r.path = "libpart.so";
  r.size = 8;
  EXPECT(myld_dlopen_ex(&r) == NULL && error_names("invalid argument"));
  r.size = sizeof r;
  r.flags = 0;
  EXPECT(myld_dlopen_ex(&r) == NULL && error_names("invalid mode"));
  EXPECT(descriptors() == before);
}

int main(void) {
  if (myld_version == NULL || myld_dlopen_ex == NULL) {
    printf("another loader\n");
    return 0;
  }
  CHECK("a version") { EXPECT(strchr(myld_version(), '.') != NULL); }
  CHECK("from a path, into a namespace") { from_path(); }
  CHECK("from a descriptor") { from_descriptor(); }
  CHECK("from a deleted file") { from_deleted_file(); }
  CHECK("from memory, twice") { from_memory(); }
  CHECK("from a part of a file") { from_part_of_a_file(); }
  CHECK("to a place") { to_a_place(); }
  CHECK("what cannot be is refused, and leaves nothing") { refused(); }
  return check_status();
}
