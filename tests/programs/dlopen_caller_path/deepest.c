int deepest(void) { return 1; }
