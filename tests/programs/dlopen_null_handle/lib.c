#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#ifdef AT_START
int in_start(void) { return NUMBER; }
#else
int in_opened(void) { return NUMBER; }
#endif
int in_all(void) { return NUMBER; }
int in_libraries(void) { return NUMBER; }
int PASTE(only_, NUMBER)(void) { return NUMBER; }
