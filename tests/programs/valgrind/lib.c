#include <stdlib.h>
#include <string.h>
static __thread int calls = 1;
int right(void) {
  char* block = calloc(1, 100);
  strcpy(block, "something to measure, which is not short");
  int length = (int)strlen(block) + strchr(block, ',')[0] + calls++;
  free(block);
  return length;
}
int overread(void) {
  char* volatile block = malloc(10);
  memset(block, 1, 10);
  int sum = block[9] + block[10];
  free(block);
  return sum;
}
int use_after_free(void) {
  int* volatile block = calloc(4, 4);
  free(block);
  return block[2];
}
int uninitialised(void) {
  int* volatile block = malloc(4);
  int result = *block != 0 ? rand() : 2;
  free(block);
  return result;
}
int lose(void) {
  void* volatile lost = malloc(4321);
  lost = NULL;
  return lost != NULL;
}
