int provided(void) { return 5; }
