typedef int (*function)(int);
int twice(int x) { return 2 * x; }
function address_of_twice(void) { return twice; }
function table[] = {twice};
