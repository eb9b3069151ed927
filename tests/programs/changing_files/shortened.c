// Needs libcutter.so, and has a page of data to relocate.
int cutter(void);
extern int table[2000];
int table[2000] = {1};
int* pointers[2000] = {[0 ... 1999] = &table[7]};
int shortened(void) { return cutter() + *pointers[3]; }
