// A signal handler is the first to touch an opened library's TLS in its thread, while the thread is
// inside malloc; the program's malloc sees whether it is entered again from the handler.
#include "../check.h"
#include <pthread.h>
#include <signal.h>

static int (*read_object)(void);
static volatile sig_atomic_t value_in_handler, in_handler, allocations_in_handler;
static __thread volatile int raise_inside_malloc;
static char arena[16 << 20];
static size_t arena_used;

static void handler(int number) {
  (void)number;
  in_handler = 1;
  value_in_handler = read_object();
  in_handler = 0;
}

// Blocks come from an arena, each after its size, and are never reused.
static void* allocate(size_t alignment, size_t size) {
  if (in_handler) ++allocations_in_handler;
  if (raise_inside_malloc) {
    raise_inside_malloc = 0;
    raise(SIGUSR1);
  }
  if (alignment < 16) alignment = 16;
  size_t used = __atomic_fetch_add(&arena_used, size + 2 * alignment + 16, __ATOMIC_RELAXED);
  if (used + size + 2 * alignment + 16 > sizeof arena) return NULL;
  uintptr_t block = ((uintptr_t)arena + used + 16 + alignment - 1) / alignment * alignment;
  *(size_t*)(block - 16) = size;
  return (void*)block;
}

void* malloc(size_t size) { return allocate(16, size); }
void free(void* block) { (void)block; }
void* calloc(size_t count, size_t size) { return allocate(16, count * size); }
void* memalign(size_t alignment, size_t size) { return allocate(alignment, size); }
void* aligned_alloc(size_t alignment, size_t size) { return allocate(alignment, size); }
void* realloc(void* block, size_t size) {
  void* moved = allocate(16, size);
  if (moved == NULL || block == NULL) return moved;
  size_t old = *(size_t*)((char*)block - 16);
  return memcpy(moved, block, old < size ? old : size);
}

static pthread_barrier_t barrier;

static void* interrupted_thread(void* unused) {
  pthread_barrier_wait(&barrier);  // the library has been opened
  raise_inside_malloc = 1;
  void* volatile block = malloc(10);
  free(block);
  return unused;
}

int main(void) {
  pthread_t thread;
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, NULL);
  pthread_barrier_init(&barrier, NULL, 2);
  pthread_create(&thread, NULL, interrupted_thread, NULL);
  void* handle = must_open("libtls.so", RTLD_NOW);
  read_object = (int (*)(void))must_find(handle, "read_object");
  pthread_barrier_wait(&barrier);
  pthread_join(thread, NULL);
  CHECK("the handler sees the object's initial value in an old thread") {
    EXPECT(value_in_handler == 6);
  }
  int in_old_thread = allocations_in_handler;

  // The same in a thread made after the library was opened, and in the main thread.
  allocations_in_handler = value_in_handler = 0;
  pthread_create(&thread, NULL, interrupted_thread, NULL);
  pthread_barrier_wait(&barrier);
  pthread_join(thread, NULL);
  int in_new_thread = allocations_in_handler;
  CHECK("in a new one") { EXPECT(value_in_handler == 6); }

  allocations_in_handler = value_in_handler = 0;
  raise_inside_malloc = 1;
  void* volatile block = malloc(10);
  free(block);
  CHECK("and in the main one") { EXPECT(value_in_handler == 6); }
  printf("allocations by the program's malloc, from the handler: %s\n",
         in_old_thread + in_new_thread + allocations_in_handler == 0 ? "none" : "some");
  return check_status();
}
