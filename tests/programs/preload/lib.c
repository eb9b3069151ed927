int value(void) { return 7; }
int value_from_inside(void) { return value(); }
