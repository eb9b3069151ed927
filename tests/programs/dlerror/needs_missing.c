extern int missing(void);
int needs_missing(void) { return missing(); }
