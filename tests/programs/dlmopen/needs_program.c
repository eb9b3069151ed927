extern int in_program(void);
int needs_program(void) { return in_program(); }
