int seen(void) { return 1; }
