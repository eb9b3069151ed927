__thread int object;
__thread char rest[100000];
int increment(void) {
  for (int i = object; i < 100000; i += 1000) ++rest[i];
  return ++object;
}
