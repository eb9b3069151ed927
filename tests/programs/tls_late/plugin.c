// TLS of a library that is opened when threads already run.
__thread int value = VALUE;
__thread char big[SIZE];
int next(void) {
  big[SIZE - 1]++;
  return value++ + big[SIZE - 1];
}
