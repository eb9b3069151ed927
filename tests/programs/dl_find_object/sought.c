int sought(void) { return 1; }
int more(int (*function)(void)) { return function() + 1; }
