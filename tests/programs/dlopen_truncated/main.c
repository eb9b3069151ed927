// Files that end inside a segment, as an interrupted copy leaves them. Their headers are whole.
#include "../check.h"

static void open_it(void* path) {
  (void)dlerror();
  void* handle = dlopen((const char*)path, RTLD_NOW);
  const char* text = dlerror();
  _exit(handle == NULL && text != NULL && strstr(text, (const char*)path) != NULL ? 0 : 1);
}

int main(void) {
  static char output[256];
  size_t size = read_file(beside_program("libwhole.so"));
  if (size < 20000) give_up("libwhole.so is too small");
  size_t lengths[] = {1000, 4096, 8192, size / 2};
  int refused = 0;
  for (int i = 0; i < 4; ++i) {
    char* path = (char*)in_scratch("truncated.so");
    read_file(beside_program("libwhole.so"));
    write_file(path, file_bytes, lengths[i]);
    if (in_child(open_it, path, output, sizeof output) == 0) ++refused;
  }
  CHECK("S10 the whole file is fine") {
    EXPECT(dlopen(beside_program("libwhole.so"), RTLD_NOW) != NULL);
  }
  printf("S10 a file that ends inside a segment is refused: %s\n", refused == 4 ? "ok" : "crash");
  return check_status();
}
