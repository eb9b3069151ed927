int from_dependency(void) { return 24; }
