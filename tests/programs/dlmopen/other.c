extern int increment(void);
int increment_space(void) { return increment(); }
