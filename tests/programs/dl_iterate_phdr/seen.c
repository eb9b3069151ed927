extern int dependency(void);
__thread int object = 5;
__thread char rest[200000];  // too large for the reserve of static TLS
int* address(void) { return dependency() ? &object : 0; }
