extern void note(const char* word);
#if PART == 1
extern int missing_function(void);
int call_missing_function(void) { return missing_function(); }
#elif PART == 2
__attribute__((constructor)) static void begin(void) { note("first"); }
int in_first(void) { return 1; }
#elif PART == 3
__attribute__((constructor)) static void begin(void) { note("other"); }
int in_other(void) { return 1; }
#elif PART == 4
__attribute__((constructor)) static void begin(void) { note("plain"); }
int in_first(void) { return 1; }
#elif PART == 5
extern double cos(double);
double use_libm(double x) { return cos(x); }
#elif PART == 6
int in_global(void) { return 1; }
#elif PART == 7
int provided(void) { return 1; }
#elif PART == 8
int provided(void) { return 2; }
#elif PART == 9
extern int provided(void);
int use_provided(void) { return provided(); }
#endif
