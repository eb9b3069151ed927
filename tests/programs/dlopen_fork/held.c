extern void held_constructor(void);
__attribute__((constructor)) static void begin(void) { held_constructor(); }
