int spin(int rounds) {
  volatile int n = 0;
  for (int i = 0; i < rounds; ++i) n += i;
  return n;
}
