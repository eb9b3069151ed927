#include <stdio.h>

extern int counter;
extern const char text[25];
extern struct big { long words[100]; } big;
extern int oversized;
int* counter_address(void);
int read_counter(void);
extern int weak_name;  // of one variable: the library uses its other name
int read_strong_name(void);
long sum_big(void);

int main(void) {
  printf("start: %d, library %d, one address: %d\n", counter, read_counter(),
         &counter == counter_address());
  counter++;
  weak_name++;
  big.words[0] = 100;
  printf("after a store: %d, library %d, weak alias %d, big %ld\n", counter, read_counter(),
         read_strong_name(), sum_big());
  puts(text);
  printf("a size past the segment's end: %d\n", oversized);
}
