static __thread int mine = 40;
int in_module(int which) {
  int sum = which + ++mine;
  return sum;
}
