int function(void) { return 1; }

// An indirect function whose resolver answers null.
static void (*choose_nothing(void))(void) { return 0; }
void resolves_to_null(void) __attribute__((ifunc("choose_nothing")));
