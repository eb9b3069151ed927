#include "../check.h"

int constructor_runs;  // libcounted.so's constructor counts here

int main(void) {
  if (chdir(program_directory()) != 0) give_up("chdir");
  void* first = must_open("libcounted.so", RTLD_NOW);
  int* object = (int*)must_find(first, "object");
  CHECK("S07 the same file again is the same copy") {
    void* again = dlopen("libcounted.so", RTLD_NOW);
    EXPECT(again == first);
    *object = 11;
    EXPECT(dlsym(again, "object") == object);
    EXPECT(call_int(again, "read_object") == 11);
    EXPECT(constructor_runs == 1);
    EXPECT(module_count("libcounted.so") == 1);
  }
  CHECK("S08 the same file by another path is the same copy") {
    const char* by_symlink = in_scratch("by-symlink.so");
    const char* by_hard_link = beside_program("hard-link.so");
    if (symlink(beside_program("libcounted.so"), by_symlink) != 0) give_up("symlink");
    unlink(by_hard_link);
    if (link("libcounted.so", by_hard_link) != 0) give_up("link: %s", strerror(errno));
    EXPECT(dlopen("./libcounted.so", RTLD_NOW) == first);
    EXPECT(dlopen(beside_program("libcounted.so"), RTLD_NOW) == first);
    EXPECT(dlopen("./sub/../libcounted.so", RTLD_NOW) == first);
    EXPECT(dlopen(by_symlink, RTLD_NOW) == first);
    EXPECT(dlopen(by_hard_link, RTLD_NOW) == first);
    EXPECT(constructor_runs == 1);
    unlink(by_hard_link);
    // A copy is another file, and so another module with its own data.
    copy_file("libcounted.so", in_scratch("copy.so"));
    void* copy = dlopen(in_scratch("copy.so"), RTLD_NOW);
    EXPECT(copy != NULL && copy != first);
    EXPECT(call_int(copy, "read_object") == 5 && call_int(first, "read_object") == 11);
    EXPECT(constructor_runs == 2);
  }
  CHECK("S09 a soname finds the module that carries it, wherever it came from") {
    EXPECT(dlopen("libnamed.so.1", RTLD_NOW) == NULL);
    void* by_path = must_open("sub/libfile-name.so", RTLD_NOW);
    EXPECT(dlopen("libnamed.so.1", RTLD_NOW) == by_path);
    EXPECT(dlopen("libnamed.so.1", RTLD_NOW | RTLD_NOLOAD) == by_path);
    // A dependency on that soname is served by it too.
    void* user = dlopen("libuser.so", RTLD_NOW);
    EXPECT(user != NULL && call_int(user, "use_named") == 6);
    EXPECT(module_count("libfile-name.so") == 1);
  }
  return check_status();
}
