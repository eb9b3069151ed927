int f(void) { return 100; }
int call_default(void) { return 200; }
