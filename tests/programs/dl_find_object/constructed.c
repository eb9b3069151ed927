extern void constructor_runs(void);
__attribute__((constructor)) static void begin(void) { constructor_runs(); }
