static int number = 20;
static int* pointer = &number;
static char zeros[10000];
int value(void) { return ++*pointer + zeros[9999] + 21; }
