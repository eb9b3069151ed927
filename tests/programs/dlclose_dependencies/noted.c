// A library that notes its construction and destruction, and what PART adds.
extern void note(const char* word);
__attribute__((constructor)) static void begin(void) { note("+" NAME); }
__attribute__((destructor)) static void end(void) { note("-" NAME); }

#if PART == 1
int shared_object = 3;
#elif PART == 2
extern int shared_object;
int left(void) { return shared_object; }
#elif PART == 3
extern int shared_object;
int right(void) { return shared_object; }
#elif PART == 4
int provided(void) { return 8; }
#elif PART == 5
extern int provided(void);
int use_provided(void) { return provided(); }
#elif PART == 6
extern int cycle_b(int);
int cycle_a(void) { return cycle_b(1); }
int cycle_a_part(void) { return 1; }
#elif PART == 7
extern int cycle_a_part(void);
int cycle_b(int number) { return number + cycle_a_part(); }
#endif
