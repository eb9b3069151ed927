int kept(void) { return 1; }
