static int counter;
int increment(void) { return ++counter; }
