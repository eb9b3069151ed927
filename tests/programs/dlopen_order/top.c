extern int in_left_and_right(void), in_start_and_leaf(void), in_program_and_leaf(void);
int in_all_five(void) { return 1; }
int call_in_all_five(void) { return in_all_five(); }
int call_in_left_and_right(void) { return in_left_and_right(); }
int call_in_start_and_leaf(void) { return in_start_and_leaf(); }
int call_in_program_and_leaf(void) { return in_program_and_leaf(); }
