int in_start_and_leaf(void) { return 6; }
