int in_all_five(void) { return 2; }
int in_left_and_right(void) { return 2; }
