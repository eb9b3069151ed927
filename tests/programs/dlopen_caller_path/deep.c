extern int deepest(void);
int deep(void) { return deepest(); }
