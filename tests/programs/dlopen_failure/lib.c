// A library whose constructor counts, and what PART adds.
extern int constructor_runs;
__attribute__((constructor)) static void count(void) { ++constructor_runs; }

#if PART == 1
extern int missing_function(void);
int call_missing_function(void) { return missing_function(); }
#elif PART == 2
extern int missing_object;
int read_missing_object(void) { return missing_object; }
#elif PART == 3
extern int versioned(void);
int call_versioned(void) { return versioned(); }
#elif PART == 4
__attribute__((tls_model("initial-exec"))) __thread char huge_tls[256 << 20];
char* address_of_huge_tls(void) { return huge_tls; }
#elif PART == 5
int in_held(void) { return 1; }
#elif PART == 6
extern int in_held(void), missing(void);
int in_parent(void) { return in_held() + missing(); }
#elif PART == 7
extern int in_held(void), missing_function(void);
int in_parent(void) { return in_held() + missing_function(); }
#elif PART == 8
extern int call_missing_function(void);
int in_parent(void) { return call_missing_function(); }
#endif
