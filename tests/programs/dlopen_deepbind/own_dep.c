int dep_name(void) { return 3; }
