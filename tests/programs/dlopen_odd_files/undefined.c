extern int no_such_function(void), kept(void);
int call(void) { return no_such_function() + kept(); }
