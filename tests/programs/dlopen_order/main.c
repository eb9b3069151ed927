// The modules, each defining a few of the names below with its own number:
//
//   libtop.so (1) needs libleft.so (2) and libright.so (3); libleft.so needs libleaf.so (4), and
//   libright.so needs libtwig.so (5).  The program (7) was linked with libstart.so (6).
#include "../check.h"

int in_program_and_leaf(void) { return 7; }
extern int in_start_and_leaf(void);

// The number of the module that defines `name` in a search through `handle`.
static int finds(void* handle, const char* name) { return call_int(handle, name); }

int main(void) {
  if (in_start_and_leaf() != 6) give_up("the library of the start is not there");
  void *top, *right, *early;

  CHECK("S27 the modules of one call are added breadth first") {
    static const char* const expected[] = {"libtop.so", "libleft.so", "libright.so", "libleaf.so",
                                           "libtwig.so"};
    top = must_open("libtop.so", RTLD_NOW | RTLD_LOCAL);
    struct link_map* map = module_of(top);
    for (int i = 0; i < 5; ++i, map = map != NULL ? map->l_next : NULL)
      EXPECT(map != NULL && strcmp(last_component(map->l_name), expected[i]) == 0);
    EXPECT(map == NULL);
  }
  CHECK("S29 dlsym on a handle goes breadth first, left to right") {
    EXPECT(finds(top, "in_all_five") == 1);
    EXPECT(finds(top, "in_left_and_right") == 2);
    EXPECT(finds(top, "in_leaf_and_right") == 3);
    EXPECT(finds(top, "in_leaf_and_twig") == 4);
    right = must_open("libright.so", RTLD_NOW | RTLD_NOLOAD);
    EXPECT(finds(right, "in_all_five") == 3);
    EXPECT(finds(right, "in_leaf_and_twig") == 5);
    dlclose(right);
    dlclose(top);
    EXPECT(!module_loaded("libtwig.so"));
  }
  CHECK("S28 the first global definition wins over a module's own") {
    early = must_open("libearly.so", RTLD_NOW | RTLD_GLOBAL);
    top = must_open("libtop.so", RTLD_NOW | RTLD_LOCAL);
    // libtop.so's call of its own in_all_five goes to libearly.so.
    EXPECT(call_int(top, "call_in_all_five") == 8);
    EXPECT(finds(top, "in_all_five") == 1);
    dlclose(top);
    dlclose(early);
    EXPECT(!module_loaded("libearly.so"));
    // Without an earlier one it goes to itself.
    top = must_open("libtop.so", RTLD_NOW | RTLD_LOCAL);
    EXPECT(call_int(top, "call_in_all_five") == 1);
    dlclose(top);
  }
  CHECK("S31 load order and dependency order can give two answers") {
    right = must_open("libright.so", RTLD_NOW | RTLD_GLOBAL);
    top = must_open("libtop.so", RTLD_NOW | RTLD_GLOBAL);
    // A relocation takes load order, in which libright.so was first; so does a global search.
    EXPECT(call_int(top, "call_in_left_and_right") == 3);
    EXPECT(finds(RTLD_DEFAULT, "in_left_and_right") == 3);
    // The handle takes dependency order, in which libleft.so is first.
    EXPECT(finds(top, "in_left_and_right") == 2);
  }
  CHECK("S32 a definition of the start beats a later one in both") {
    EXPECT(call_int(top, "call_in_start_and_leaf") == 6);
    EXPECT(call_int(top, "call_in_program_and_leaf") == 7);
    EXPECT(finds(RTLD_DEFAULT, "in_start_and_leaf") == 6);
    EXPECT(finds(dlopen(NULL, RTLD_NOW), "in_program_and_leaf") == 7);
    EXPECT(finds(top, "in_start_and_leaf") == 4);
    EXPECT(finds(top, "in_program_and_leaf") == 4);
    dlclose(top);
    dlclose(right);
  }
  return check_status();
}
