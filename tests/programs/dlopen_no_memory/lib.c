extern int constructor_runs;
__attribute__((constructor)) static void count(void) { ++constructor_runs; }

#if PART == 1
char huge[1 << 30];
#elif PART == 2
static char bss[20000];
int child(void) { return 2 + bss[1]; }
#elif PART == 3
extern int child(void);
__thread int per_thread[5000] = {1};
int parent(void) { return child() + per_thread[0]; }
#endif
