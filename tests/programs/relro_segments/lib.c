static int target = 7;
__attribute__((section(".first"))) static int* volatile first = &target;
__attribute__((section(".second"))) static int* volatile second = &target;
static int* volatile data = &target;

static int* volatile* at(int i) { return i == 0 ? &first : i == 1 ? &second : &data; }
int* volatile* word(int i) { return at(i); }
int holds_pointer(int i) { return *at(i) == &target && target == 7; }
