static int count = 41;
int next(void) { return ++count; }
