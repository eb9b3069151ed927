int in_all_five(void) { return 8; }
