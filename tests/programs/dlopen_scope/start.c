int from_start(void) { return 22; }
