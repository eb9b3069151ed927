#include "../check.h"
#include <pthread.h>
#include <signal.h>

int main(void);

// libheld.so's constructor: it tells the main thread that it is running, and waits for it.
static pthread_barrier_t barrier;
void held_constructor(void) {
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
}

static void* open_held(void* unused) {
  (void)unused;
  return dlopen("libheld.so", RTLD_NOW);
}

// What a child must be able to do, whatever the parent's other threads were doing.
static void use_everything(void* unused) {
  (void)unused;
  alarm(3);
  void* handle = must_open("libused.so", RTLD_LAZY);
  if (call_int(handle, "read_per_thread") != 3) _exit(3);
  if (call_int(handle, "call_getppid_lazily") != getppid()) _exit(4);
  if (dlclose(handle) != 0 || module_loaded("libused.so")) _exit(5);
  if (dlopen("no-such-file.so", RTLD_NOW) != NULL || !error_names("no-such-file.so")) _exit(6);
  Dl_info info;
  if (dladdr((void*)use_everything, &info) == 0) _exit(7);
  _exit(42);
}

static void* child_thread(void* unused) {
  use_everything(unused);
  return NULL;
}

static void use_everything_in_a_thread(void* unused) {
  pthread_t thread;
  alarm(3);
  pthread_create(&thread, NULL, child_thread, unused);
  pthread_join(thread, NULL);
}

static volatile int stop;
static void* look_up_all_the_time(void* failure) {
  Dl_info info;
  while (!stop)
    if (dlsym(RTLD_DEFAULT, "getppid") == NULL || dladdr((void*)main, &info) == 0) return failure;
  return NULL;
}

static int wait_in_callback(struct dl_phdr_info* info, size_t size, void* data) {
  (void)info, (void)size, (void)data;
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  return 1;
}

static void* iterate(void* unused) {
  dl_iterate_phdr(wait_in_callback, unused);
  return NULL;
}

int main(void) {
  static char output[512];
  CHECK("a child of a program with one thread") {
    EXPECT(WEXITSTATUS(in_child(use_everything, NULL, output, sizeof output)) == 42);
    EXPECT(WEXITSTATUS(in_child(use_everything_in_a_thread, NULL, output, sizeof output)) == 42);
  }
  CHECK("a child made while another thread is inside dlopen") {
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, open_held, NULL);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 5; ++i) {
      EXPECT(WEXITSTATUS(in_child(use_everything, NULL, output, sizeof output)) == 42);
      EXPECT(WEXITSTATUS(in_child(use_everything_in_a_thread, NULL, output, sizeof output)) == 42);
    }
    pthread_barrier_wait(&barrier);
    void* handle = NULL;
    pthread_join(thread, &handle);
    EXPECT(handle != NULL && dlclose(handle) == 0);
    EXPECT(!module_loaded("libheld.so"));
  }
  CHECK("children made while other threads look symbols and addresses up") {
    pthread_t threads[2];
    int failure = 1;
    for (int i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, look_up_all_the_time, &failure);
    for (int i = 0; i < 30; ++i)
      EXPECT(WEXITSTATUS(in_child(use_everything, NULL, output, sizeof output)) == 42);
    stop = 1;
    for (int i = 0; i < 2; ++i) {
      void* failed = NULL;
      pthread_join(threads[i], &failed);
      EXPECT(failed == NULL);
    }
  }
  {
    pthread_t thread;
    pthread_create(&thread, NULL, iterate, NULL);
    pthread_barrier_wait(&barrier);
    int status = in_child(use_everything, NULL, output, sizeof output);
    printf("a child made while another thread is inside dl_iterate_phdr: %s\n",
           WIFEXITED(status) && WEXITSTATUS(status) == 42       ? "ok"
           : WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "deadlock"
                                                                : "FAILED");
    pthread_barrier_wait(&barrier);
    pthread_join(thread, NULL);
  }
  return check_status();
}
