#include <unistd.h>
int call_getpid(void) { return getpid(); }
