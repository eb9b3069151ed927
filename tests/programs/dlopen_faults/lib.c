// A library with thread-local storage and a dependency on libm's kind of thing: nothing but itself.
__thread int counter = 5;
static __thread char large[200000];
int next(void) { return ++counter + large[counter]; }
