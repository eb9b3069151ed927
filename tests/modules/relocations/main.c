#include "../bare.h"

extern int number;
extern int* number_here;
extern int table[4];
extern int* into_table;
extern int* relative;
int add(int, int);
extern int (*add_here)(int, int);
int library_number(void);
int call_protected(void);
int indirect(void);
extern int (*indirect_pointer)(void);
int call_hidden_indirect(void);
extern int* nowhere_address;
int has_nowhere_function(void);
int call_overridden(void);
extern int absent __attribute__((weak));

int overridden(void) { return 2; }

// Words of the program itself.
static int own[3] = {6, 7, 8};
int* own_pointer = &own[1];
int (*function_pointer)(int, int) = add;
int* number_pointer = &number;
int* table_pointer = &table[3];
int* absent_pointer = &absent;

int bare_main(long argc, char** argv) {
  CHECK(argc == 1 && argv[0] != 0 && argv[1] == 0);
  CHECK(*own_pointer == 7);
  CHECK(function_pointer(2, 3) == 5);
  CHECK(add(20, 22) == 42);
  CHECK(add_here == add && function_pointer == add);
  CHECK(number == 40 && *number_pointer == 40);
  number = 41;
  CHECK(number_here == &number && library_number() == 41);
  CHECK(*table_pointer == 4 && *into_table == 3 && into_table == &table[2]);
  CHECK(*relative == 5);
  CHECK(call_protected() == 7);
  CHECK(indirect() == 11 && indirect_pointer() == 11);
  CHECK(call_hidden_indirect() == 11);
  CHECK(nowhere_address == 0 && !has_nowhere_function());
  CHECK(absent_pointer == 0);
  CHECK(call_overridden() == 2);
  return bare_failed;
}
