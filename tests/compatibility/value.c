// A library that is opened, or found in one of several places: VALUE tells which one it is.
#ifdef NEEDS
int needed(void);
int value(void) { return VALUE + needed(); }
#else
int value(void) { return VALUE; }
int needed(void) { return 1000; }
#endif
