int nowhere(void);
int broken(void) { return nowhere(); }
