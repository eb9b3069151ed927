#if PART == 1
__thread int object = 5;
#ifdef LARGE
__thread char rest[30000];
#endif
int* local(void) { return &object; }
int answer(int i) { return i + 1; }
#elif PART == 2
#define PART_FUNCTION(n)                                                                           \
  int part##n(int i) { return i + n; }
PART_FUNCTION(1)
PART_FUNCTION(2)
PART_FUNCTION(3)
PART_FUNCTION(4)
PART_FUNCTION(5)
PART_FUNCTION(6)
PART_FUNCTION(7)
PART_FUNCTION(8)
double multiply_and_add(double a, double b, double c) { return a + b * c; }
double multiply_and_add_too(double a, double b, double c) { return a + b * c; }
#elif PART == 3
extern int part1(int), part2(int), part3(int), part4(int), part5(int), part6(int), part7(int),
    part8(int);
extern double multiply_and_add(double, double, double),
    multiply_and_add_too(double, double, double);
int first_calls(int i) {
  return part1(i) + part2(i) + part3(i) + part4(i) + part5(i) + part6(i) + part7(i) + part8(i);
}
double first_double_calls(double a, double b, double c) {
  return multiply_and_add(a, b, c) + multiply_and_add_too(a, b, c);
}
#endif
