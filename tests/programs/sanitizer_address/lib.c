#include <stdlib.h>
#include <string.h>

int global[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
static __thread int per_thread[10];
static volatile int ten = 10;

int right(void) {
  int local[10], sum = 0;
  int* heap = malloc(sizeof local);
  memcpy(heap, global, sizeof local);
  memcpy(local, heap, sizeof local);
  for (int i = 0; i < ten; ++i) per_thread[i] = local[i];
  for (int i = 0; i < ten; ++i) sum += per_thread[i];
  free(heap);
  return sum;
}

int overflow_heap(void) {
  int* heap = malloc(10 * sizeof(int));
  heap[0] = 1;
  int value = heap[ten] + heap[0];
  free(heap);
  return value;
}

int overflow_stack(void) {
  volatile int local[10];
  for (int i = 0; i < ten; ++i) local[i] = i;
  return local[ten];
}

int overflow_global(void) { return global[ten]; }

int use_after_free(void) {
  int* volatile heap = malloc(sizeof(int));
  *heap = ten;
  free(heap);
  return *heap;
}
