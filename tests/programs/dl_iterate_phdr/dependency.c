int dependency(void) { return 1; }
