#include <stdlib.h>
#include <string.h>
void* global;
__thread void* per_thread;
__thread char large[100000];
int keep_in_global(void) {
  global = malloc(1234);
  return 0;
}
int keep_in_thread_local(void) {
  per_thread = malloc(1235);
  large[1] = 1;
  return 0;
}
int lose(void) {
  void* volatile lost = malloc(4321);
  memset(lost, 1, 4321);
  lost = NULL;
  return lost != NULL;
}
