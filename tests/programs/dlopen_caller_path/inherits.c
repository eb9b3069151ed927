extern int deep(void);
int inherits(void) { return deep(); }
