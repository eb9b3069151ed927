// The far end of each reference of main.c.
int number = 40;
int* number_here = &number;  // where the library thinks `number` is: the program's copy
int table[4] = {1, 2, 3, 4};
int* into_table = &table[2];  // symbol + addend
static int hidden_target = 5;
int* relative = &hidden_target;  // load bias + addend

int add(int a, int b) { return a + b; }
int (*add_here)(int, int) = add;
int library_number(void) { return number; }

__attribute__((visibility("protected"))) int protected_function(void) { return 7; }
int call_protected(void) { return protected_function(); }

static int chosen(void) { return 11; }
static int (*choose(void))(void) { return chosen; }
__attribute__((ifunc("choose"))) int indirect(void);
int (*indirect_pointer)(void) = indirect;

// Bound by an irelative relocation: the symbol is not visible.
__attribute__((ifunc("choose"), visibility("hidden"))) int hidden_indirect(void);
int call_hidden_indirect(void) { return hidden_indirect(); }

// Nobody defines them.
extern int nowhere __attribute__((weak));
extern int nowhere_function(void) __attribute__((weak));
int* nowhere_address = &nowhere;
int has_nowhere_function(void) { return nowhere_function != 0; }

// The program defines it too: its definition comes first.
__attribute__((weak)) int overridden(void) { return 1; }
int call_overridden(void) { return overridden(); }
