#include <stdlib.h>
extern void note(const char* word);
__attribute__((constructor)) static void begin(void) { note("+" NAME); }
__attribute__((destructor)) static void end(void) { note("-" NAME); }
#ifdef AT_EXIT
// It is run when the module is unloaded, not at the end of the process.
static void at_exit(void) { note("atexit of " NAME); }
__attribute__((constructor)) static void begin_too(void) { atexit(at_exit); }
#endif
#ifdef DEFINES
int DEFINES(void) { return 1; }
#endif
#ifdef NEEDS
extern int NEEDS(void);
int CALLER(void) { return NEEDS(); }
#endif
#ifdef NEEDS_TOO
extern int NEEDS_TOO(void);
int caller_too(void) { return NEEDS_TOO(); }
#endif
