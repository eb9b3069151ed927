// The program is not position independent: the address it takes of a function that a library
// defines is its own PLT entry, and every module must agree with it.
#include "../check.h"

extern int in_start(void);
extern void* start_address_of_in_start(void);
extern int object_of_start;
extern int* start_address_of_object(void);
int in_program(void) { return 1; }

int main(void) {
  void* late = must_open("liblate.so", RTLD_NOW);
  int (*volatile program_address)(void) = in_start;
  CHECK("S42 everyone has the same address for a function") {
    EXPECT(program_address() == 2);
    EXPECT((void*)program_address == start_address_of_in_start());
    EXPECT((void*)program_address == dlsym(RTLD_DEFAULT, "in_start"));
    EXPECT((void*)program_address == dlsym(dlopen(NULL, RTLD_NOW), "in_start"));
    EXPECT((void*)program_address ==
           ((void* (*)(void))must_find(late, "late_address_of_in_start"))());
    // A function of the program itself, seen from a library that was opened.
    EXPECT((void*)in_program == ((void* (*)(void))must_find(late, "late_address_of_in_program"))());
    EXPECT((void*)in_program == dlsym(RTLD_DEFAULT, "in_program"));
    // Functions of the libc that it takes the address of.
    EXPECT((void*)getppid == ((void* (*)(void))must_find(late, "late_address_of_getppid"))());
    EXPECT((void*)getppid == dlsym(RTLD_DEFAULT, "getppid"));
  }
  CHECK("S42 and the same object") {
    EXPECT(object_of_start == 33);
    EXPECT(&object_of_start == start_address_of_object());
    EXPECT(&object_of_start == (int*)dlsym(RTLD_DEFAULT, "object_of_start"));
    object_of_start = 34;
    EXPECT(*start_address_of_object() == 34);
    EXPECT(call_int(late, "late_reads_object") == 34);
  }
  return check_status();
}
