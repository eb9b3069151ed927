#include <stdio.h>

typedef int (*function)(void);
int across(void);
int call_inside(void);
extern function in_data[];
function address_of_across(void);

static int seven(void) { return 7; }
static function resolve_own(void) { return seven; }
int own(void) __attribute__((ifunc("resolve_own")));
function volatile own_address = own;
function volatile across_address = across;

int main(void) {
  printf("across %d, inside %d, in data %d %d %d\n", across(), call_inside(), in_data[0](),
         in_data[1](), in_data[2]());
  printf("own %d, by address %d\n", own(), own_address());
  printf("address across: %d, called %d\n", across_address == address_of_across(),
         across_address());
}
