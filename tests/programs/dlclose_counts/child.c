extern void note(const char* word);
static int counter = 1;
int increment(void) { return ++counter; }
__attribute__((constructor)) static void begin(void) { note("+child"); }
__attribute__((destructor)) static void end(void) { note("-child"); }
