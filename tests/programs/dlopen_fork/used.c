#include <unistd.h>
__thread int per_thread = 3;
int read_per_thread(void) { return per_thread; }
int call_getppid_lazily(void) { return getppid(); }
