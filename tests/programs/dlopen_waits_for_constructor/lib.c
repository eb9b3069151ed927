extern void CONSTRUCTOR(void);
__attribute__((constructor)) static void begin(void) { CONSTRUCTOR(); }
int in_lib(void) { return 1; }
