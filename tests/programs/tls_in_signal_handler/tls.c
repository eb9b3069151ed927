// Too large for the reserve of static TLS, so that it is made for each thread on its own.
__thread int object = 6;
__thread char rest[200000];
int read_object(void) { return object + rest[object]; }
