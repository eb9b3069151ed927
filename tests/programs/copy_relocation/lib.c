int counter = 41;
const char text[] = "read-only in the library";
struct big {
  long words[100];
} big = {{[99] = 7}};
int strong_name = 5;
extern int weak_name __attribute__((weak, alias("strong_name")));
int* counter_address(void) { return &counter; }
int read_counter(void) { return counter; }
int read_strong_name(void) { return strong_name; }
long sum_big(void) {
  long sum = 0;
  for (int i = 0; i < 100; i++) sum += big.words[i];
  return sum;
}
