// The program's malloc counts its calls in a thread-local object of a library that was opened: the
// first access in each thread is made inside malloc.
#include "../check.h"
#include <pthread.h>

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void __libc_free(void*);

static int* (*counter)(void);
static __thread int inside;

static void hit(void) {
  if (counter == NULL || inside) return;
  inside = 1;
  ++*counter();
  inside = 0;
}

void* malloc(size_t bytes) {
  hit();
  return __libc_malloc(bytes);
}
void* calloc(size_t count, size_t bytes) {
  hit();
  return __libc_calloc(count, bytes);
}
void* realloc(void* block, size_t bytes) {
  hit();
  return __libc_realloc(block, bytes);
}
void free(void* block) {
  hit();
  __libc_free(block);
}

static void* allocate(void* unused) {
  (void)unused;
  for (int i = 0; i < 100; ++i) free(malloc(10));
  return (void*)(intptr_t)(*counter() >= 200);
}

int main(void) {
  void* handle = must_open("liblib.so", RTLD_NOW);
  counter = (int* (*)(void))must_find(handle, "counter");
  pthread_t threads[4];
  void* right = NULL;
  CHECK("each thread counts its own calls") {
    for (int i = 0; i < 4; ++i) EXPECT(pthread_create(&threads[i], NULL, allocate, NULL) == 0);
    for (int i = 0; i < 4; ++i) EXPECT(pthread_join(threads[i], &right) == 0 && right != NULL);
  }
  CHECK("dlopen and its errors work with such a malloc") {
    EXPECT(dlopen("no-such-file.so", RTLD_NOW) == NULL && error_names("no-such-file.so"));
    EXPECT(must_open("libm.so.6", RTLD_NOW) != NULL);
  }
  return check_status();
}
