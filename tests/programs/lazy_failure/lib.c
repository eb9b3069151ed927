int nowhere(void);
int maybe_call(int really) { return really ? nowhere() : 5; }
