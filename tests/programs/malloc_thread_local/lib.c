static __thread int calls;
static __thread char padding[5000];
int* counter(void) {
  padding[1] = 1;
  return &calls;
}
