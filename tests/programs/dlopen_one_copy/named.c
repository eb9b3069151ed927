int named(void) { return 6; }
