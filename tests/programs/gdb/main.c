// Opens one library in every way there is and calls its function from here, for a debugger to stop
// in it.
#include "../check.h"

#include "../../../include/myld.h"

static void use(void* handle, int which) {
  if (handle == NULL) give_up("%d: %s", which, dlerror());
  ((int (*)(int))must_find(handle, "in_module"))(which);
}

static void from_memory(const char* bytes, size_t length) {
  struct myld_open r = {.size = sizeof r, .source = MYLD_SOURCE_MEMORY, .flags = RTLD_NOW};
  r.bytes = bytes;
  r.length = length;
  use(myld_dlopen_ex(&r), 3);
}

static void from_part_of_a_file(size_t length) {
  struct myld_open r = {.size = sizeof r, .source = MYLD_SOURCE_DESCRIPTOR, .flags = RTLD_NOW};
  memmove(file_bytes + 777, file_bytes, length);
  write_file(in_scratch("archive"), file_bytes, 777 + length);
  r.fd = open(in_scratch("archive"), O_RDONLY);
  r.offset = 777;
  void* handle = myld_dlopen_ex(&r);
  close(r.fd);
  use(handle, 4);
}

static void from_deleted_file(void) {
  struct myld_open r = {.size = sizeof r, .source = MYLD_SOURCE_DESCRIPTOR, .flags = RTLD_NOW};
  copy_file(beside_program("libpart.so"), in_scratch("gone.so"));
  r.fd = open(in_scratch("gone.so"), O_RDONLY);
  unlink(in_scratch("gone.so"));
  void* handle = myld_dlopen_ex(&r);
  close(r.fd);
  use(handle, 5);
}

int main(void) {
  void* first = must_open("libpart.so", RTLD_NOW);
  use(first, 1);
  use(dlmopen(LM_ID_NEWLM, "libpart.so", RTLD_NOW), 2);
  if (myld_dlopen_ex != NULL) {
    size_t length = read_file(beside_program("libpart.so"));
    from_memory(file_bytes, length);
    from_part_of_a_file(length);
    from_deleted_file();
  }
  dlclose(first);
  return 0;
}
