int first_choice(void) { return 11; }
int second_choice(void) { return 12; }
static int prefer_second;
static int (*choose(void))(void) { return prefer_second ? second_choice : first_choice; }
int indirect(void) __attribute__((ifunc("choose")));
int call_indirect(void) { return indirect(); }

__thread int per_thread = 5;
int read_per_thread(void) { return per_thread; }
