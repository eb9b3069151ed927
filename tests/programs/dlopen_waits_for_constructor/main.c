#include "../check.h"
#include <pthread.h>
#include <signal.h>

static volatile int constructor_done;
static pthread_barrier_t barrier;

// libslow.so's constructor: it waits until the second opener has had time to come too early.
void slow_constructor(void) {
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 20; ++i) usleep(5000);
  constructor_done = 1;
}

static void* second_opener(void* result) {
  pthread_barrier_wait(&barrier);  // the constructor is running
  void* handle = dlopen("libslow.so", RTLD_NOW);
  *(int*)result = handle != NULL && constructor_done;
  return handle;
}

static void* third_opener(void* result) {
  pthread_barrier_wait(&barrier);
  // The same module as a dependency of another one.
  void* handle = dlopen("libneeds-slow.so", RTLD_NOW);
  *(int*)result = handle != NULL && constructor_done;
  return handle;
}

// libjoins.so's constructor: starts a thread that opens a module, and waits for the thread.
static void* opens_another(void* unused) {
  (void)unused;
  return dlopen("libplain.so", RTLD_NOW);
}

void joining_constructor(void) {
  pthread_t thread;
  void* handle = NULL;
  pthread_create(&thread, NULL, opens_another, NULL);
  pthread_join(thread, &handle);
  printf("the constructor's thread opened a module: %s\n", handle != NULL ? "yes" : "no");
}

static void open_joining(void* unused) {
  (void)unused;
  alarm(2);  // ends the child if it waits for ever
  must_open("libjoins.so", RTLD_NOW);
}

int main(void) {
  static char output[256];
  int status = in_child(open_joining, NULL, output, sizeof output);
  printf("a constructor that waits for a thread that opens a module: %s\n",
         strstr(output, "opened a module: yes") != NULL && status == 0 ? "no deadlock"
         : WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM          ? "deadlock"
                                                                       : output);
  CHECK("a second opener waits until the constructors have run") {
    pthread_t thread;
    int waited = 0;
    void* handle;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&thread, NULL, second_opener, &waited);
    void* first = must_open("libslow.so", RTLD_NOW);
    EXPECT(constructor_done);
    pthread_join(thread, &handle);
    EXPECT(waited);
    EXPECT(handle == first);
    EXPECT(dlclose(first) == 0 && module_loaded("libslow.so"));
    EXPECT(dlclose(first) == 0 && !module_loaded("libslow.so"));
  }
  CHECK("also one that needs it as a dependency") {
    pthread_t thread;
    int waited = 0;
    void* handle;
    constructor_done = 0;
    pthread_create(&thread, NULL, third_opener, &waited);
    void* first = must_open("libslow.so", RTLD_NOW);
    pthread_join(thread, &handle);
    EXPECT(waited);
    EXPECT(dlclose(first) == 0 && dlclose(handle) == 0 && !module_loaded("libslow.so"));
  }
  return check_status();
}
