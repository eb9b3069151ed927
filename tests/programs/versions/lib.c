// One name, three versions: two hidden ones for old programs, and the default.
__asm__(".symver f_old, f@V_1");
__asm__(".symver f_middle, f@V_2");
__asm__(".symver f_new, f@@V_3");
int f_old(void) { return 1; }
int f_middle(void) { return 2; }
int f_new(void) { return 3; }
int call_default(void);
__asm__(".symver f_default, f@V_3");
int f_default(void);
int call_default(void) { return f_default(); }
