extern int missing_function(void);
int call_missing_function(void) { return missing_function(); }
int call_nothing(void) { return 4; }
