#ifdef GONE
int gone(void) { return 7; }
int gone_data = 7;
#endif
int stays(void) { return 8; }
