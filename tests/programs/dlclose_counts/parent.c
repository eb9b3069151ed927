extern void note(const char* word);
extern int increment(void);
int parent(void) { return increment(); }
__attribute__((constructor)) static void begin(void) { note("+parent"); }
__attribute__((destructor)) static void end(void) { note("-parent"); }
