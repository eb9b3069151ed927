extern int missing_object;
int read_missing_object(void) { return missing_object; }
