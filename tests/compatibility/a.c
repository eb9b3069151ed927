#ifndef A
#define A 100
#endif
int b(void);
int a(void) { return A + b(); }
