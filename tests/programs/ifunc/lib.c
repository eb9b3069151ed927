// An IFUNC that the program calls, one that only this library calls, and one in its data.
static int answer_a(void) { return 40; }
static int answer_b(void) { return 41; }
static int choose =
    1;  // reached by a relocation: the resolver runs after this library's own relocations

typedef int (*function)(void);
static int* volatile where = &choose;
static function resolve(void) { return *where ? answer_b : answer_a; }
int across(void) __attribute__((ifunc("resolve")));
__attribute__((visibility("hidden"))) int inside(void) __attribute__((ifunc("resolve")));
static int local(void) __attribute__((ifunc("resolve")));
function in_data[] = {across, inside, local};
int call_inside(void) { return inside() + local(); }
function address_of_across(void) { return across; }
