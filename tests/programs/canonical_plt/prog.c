#include <stdio.h>

typedef int (*function)(int);
int twice(int x);
function address_of_twice(void);
extern function table[];
function volatile taken = twice;

int main(void) {
  printf("in code %d, in data %d, from the library's data %d\n", twice == address_of_twice(),
         taken == address_of_twice(), table[0] == taken);
  printf("called: %d %d %d\n", twice(1), taken(2), address_of_twice()(3));
}
