#if PART == 1
int dependency(void) { return 8; }
#elif PART == 2
extern int dependency(void);
int parent(void) { return dependency() + 1; }
#elif PART == 3
static __thread int object;
static __thread char block[4096];
int increment(void) {
  ++block[object];
  return ++object;
}
#elif PART == 4
int provided(void) { return 4; }
#elif PART == 5
extern int provided(void);
int use_provided(void) { return provided(); }
#elif PART == 6
int missing(void) { return 1; }
#elif PART == 7
extern int missing(void);
int needs_missing(void) { return missing(); }
#endif
