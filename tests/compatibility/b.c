#ifndef B
#define B 10
#endif
int b(void) { return B; }
