int in_all_five(void) { return 4; }
int in_leaf_and_right(void) { return 4; }
int in_leaf_and_twig(void) { return 4; }
int in_start_and_leaf(void) { return 4; }
int in_program_and_leaf(void) { return 4; }
