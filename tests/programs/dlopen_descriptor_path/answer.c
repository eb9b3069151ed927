static int counter;
int increment(void) { return ++counter; }
int answer(void) { return 42; }
