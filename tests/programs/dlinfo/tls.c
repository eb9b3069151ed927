__thread int per_thread = 1;
int* address(void) { return &per_thread; }
