// Opened as it is, with an executable stack asked for, and with writable text.
#include <stdio.h>
int table[3] = {1, 2, 3};
int* const pointers[2] = {&table[1], &table[2]};
int lib(void) { return *pointers[0] + (stdout != NULL ? 40 : 0); }
