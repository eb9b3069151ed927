extern int from_program(void), from_start(void), from_dependency(void), provided(void);
int from_own(void) { return 23; }
int use_program(void) { return from_program(); }
int use_start(void) { return from_start(); }
int use_own(void) { return from_own(); }
int use_dependency(void) { return from_dependency(); }
int use_global(void) { return provided(); }
