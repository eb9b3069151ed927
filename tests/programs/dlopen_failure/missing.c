int missing(void) { return 1; }
