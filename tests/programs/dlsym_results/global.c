int in_global(void) { return 4; }
