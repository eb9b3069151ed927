// Calls a function, and with DATA reads an object, that its library has no more.
#include <stdio.h>
int gone(void);
extern int gone_data;
int main(int argc, char** argv) {
  setvbuf(stdout, NULL, _IONBF, 0);
  puts("main");
#ifdef DATA
  return gone_data;
#else
  return argc > 1 ? gone() : 0;
#endif
}
