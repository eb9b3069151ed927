int in_all_five(void) { return 5; }
int in_leaf_and_twig(void) { return 5; }
