int in_all_five(void) { return 3; }
int in_left_and_right(void) { return 3; }
int in_leaf_and_right(void) { return 3; }
