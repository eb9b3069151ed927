extern int dependency(void);
__thread int object = 5;
int* address(void) { return dependency() ? &object : 0; }
