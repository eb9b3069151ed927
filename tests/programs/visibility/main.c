// The program defines what a library defines as protected, hidden and ordinary.
#include "../check.h"

int protected_function(void) { return 1; }
int hidden_function(void) { return 1; }
int ordinary_function(void) { return 1; }
int protected_object = 1;
extern int call_protected(void), call_hidden(void), call_ordinary(void), read_protected(void);
extern int nowhere(void) __attribute__((weak));

int main(void) {
  CHECK("a library's own protected and hidden definitions are its own") {
    EXPECT(call_protected() == 2 && call_hidden() == 2 && read_protected() == 2);
  }
  CHECK("the program comes before its ordinary ones") { EXPECT(call_ordinary() == 1); }
  CHECK("a weak reference to nothing is null") { EXPECT(nowhere == NULL); }
  CHECK("dlsym finds protected symbols, and no hidden ones") {
    void* library = must_open("liblib.so", RTLD_NOW);
    EXPECT(call_int(library, "protected_function") == 2);
    EXPECT(dlsym(library, "hidden_function") == NULL);
    EXPECT(dlsym(RTLD_DEFAULT, "protected_function") == (void*)protected_function);
  }
  return check_status();
}
