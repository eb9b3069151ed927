int who_am_i(void) { return NUMBER; }
int ask_who_am_i(void) { return who_am_i(); }
#if NUMBER == 1
int only_in_filtee(void) { return NUMBER; }
#elif NUMBER == 4
int only_in_auxiliary(void) { return NUMBER; }
#endif
