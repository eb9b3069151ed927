extern int in_lib(void);
int needs(void) { return in_lib(); }
