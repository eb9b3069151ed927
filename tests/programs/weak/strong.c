int weak_both(void) { return 20; }
