// Linked against the library before it had versions: its references carry none.
#include <stdio.h>

int f(void);

int main(void) { printf("%d\n", f()); }
