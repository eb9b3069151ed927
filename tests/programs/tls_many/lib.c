static __thread int count = 100;
static __thread char padding[777];
static __thread long zero;
int increment(void) {
  padding[776] = 1;
  return zero++ == count - 100 ? ++count : -1;
}
