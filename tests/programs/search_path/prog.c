#include <stdio.h>
const char* outer(void);
int main(void) { puts(outer()); }
