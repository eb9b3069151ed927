extern int named(void);
int use_named(void) { return named(); }
