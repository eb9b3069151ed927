int versioned(void) { return 1; }
int other(void) { return 2; }
