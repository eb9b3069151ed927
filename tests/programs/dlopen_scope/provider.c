#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#if NUMBER < 3
int provided(void) { return NUMBER; }
#endif
int PASTE(provided_, NUMBER)(void) { return NUMBER; }
