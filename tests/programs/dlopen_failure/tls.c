__thread int object = 1;
int* address(void) { return &object; }
