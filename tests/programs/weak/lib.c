#include <stddef.h>

__attribute__((weak)) int weak_here(void) { return 1; }
__attribute__((weak)) int weak_both(void) { return 2; }
extern int nowhere(void) __attribute__((weak));
extern int nowhere_data __attribute__((weak));
int only_in_program(void) __attribute__((weak));
int call_weak_both(void) { return weak_both(); }
int call_only_in_program(void) { return only_in_program ? only_in_program() : -1; }
int* address_of_nowhere_data(void) { return &nowhere_data; }
int nowhere_is_null(void) { return nowhere == NULL; }
