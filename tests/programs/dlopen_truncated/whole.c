#include <unistd.h>
const char constant[40000] = {1};
char variable[40000] = {2};
int use(int i) { return constant[i] + variable[i] + getpid(); }
