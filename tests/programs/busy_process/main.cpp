// Threads that open, use and close the same libraries all at once, and many rounds of it by one
// thread; with the argument `fork`, in the children that the process forks meanwhile.
#include "../check.h"
#include <initializer_list>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

extern "C" {
int constructed[10], destroyed[10];
const char* directory;
}

static int running, wrong;

static void result(const char* what, bool holds) {
  printf("%s: %s\n", what, holds ? "ok" : "no");
  fflush(stdout);
}

static double seconds() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

static void* open_library(unsigned id, int mode) {
  char path[512];
  snprintf(path, sizeof path, "%s/lib%u.so", directory, id);
  return dlopen(path, mode);
}

static bool use(void* handle, unsigned id) {
  auto* function = handle == nullptr ? nullptr : (int (*)())dlsym(handle, "use");
  return function != nullptr && function() == int(id);
}

static int look(dl_phdr_info* info, size_t, void*) { return info->dlpi_phnum == 0; }

struct Worker {
  pthread_t thread;
  unsigned seed;
};

static void* open_and_close(void* data) {
  unsigned seed = ((Worker*)data)->seed;
  while (__atomic_load_n(&running, __ATOMIC_RELAXED) != 0) {
    seed = seed * 1103515245 + 12345;
    unsigned id = (seed >> 16) % 10;
    void* handle = open_library(id, (seed >> 24 & 1) != 0 ? RTLD_LAZY : RTLD_NOW);
    Dl_info info;
    bool good = use(handle, id) && dladdr(dlsym(handle, "use"), &info) != 0 &&
                strcmp(info.dli_sname, "use") == 0 && dl_iterate_phdr(look, nullptr) == 0 &&
                dlclose(handle) == 0;
    if (!good) __atomic_store_n(&wrong, 1, __ATOMIC_RELAXED);
  }
  return nullptr;
}

// Runs `body` for a while beside `count` threads that open and close; false if anything went wrong.
template <class Body>
static bool beside(int count, double for_seconds, Body body) {
  static Worker workers[16];
  running = 1;
  wrong = 0;
  for (int i = 0; i < count; ++i) {
    workers[i].seed = unsigned(i) * 7919 + 1;
    pthread_create(&workers[i].thread, nullptr, open_and_close, &workers[i]);
  }
  bool good = true;
  for (double end = seconds() + for_seconds; seconds() < end && good;) good = body();
  __atomic_store_n(&running, 0, __ATOMIC_RELAXED);
  for (int i = 0; i < count; ++i) pthread_join(workers[i].thread, nullptr);
  return good && wrong == 0;
}

// What threads' objects had kept goes with the next dlclose.
static bool balanced() {
  dlclose(open_library(3, RTLD_NOW));
  for (int i = 0; i < 10; ++i)
    if (constructed[i] != destroyed[i] || constructed[i] == 0) return false;
  char name[16];
  for (int i = 0; i < 10; ++i) {
    snprintf(name, sizeof name, "lib%d.so", i);
    if (module_loaded(name)) return false;
  }
  return true;
}

static void* first_calls(void* use) { return (void*)(intptr_t)((int (*)())use)(); }

static bool first_calls_at_once() {
  void* handle = open_library(4, RTLD_LAZY);
  void* function = dlsym(handle, "use");
  pthread_t threads[8];
  bool good = true;
  for (auto& t : threads) pthread_create(&t, nullptr, first_calls, function);
  for (auto& t : threads) {
    void* value = nullptr;
    pthread_join(t, &value);
    good = good && (intptr_t)value == 4;
  }
  return good && dlclose(handle) == 0;
}

static bool child_opens() {
  pid_t child = fork();
  if (child == 0) {
    alarm(10);
    void* handle = open_library(unsigned(getpid()) % 10, RTLD_LAZY);
    _exit(use(handle, unsigned(getpid()) % 10) && dlclose(handle) == 0 ? 0 : 1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  return status == 0;
}

static int (*in_signal_[2])();
static int signals_wrong;
static void on_signal(int) {
  if (in_signal_[0]() != 0 || in_signal_[1]() != 4) signals_wrong = 1;
}

static void* send_signals(void* to) {
  while (__atomic_load_n(&running, __ATOMIC_RELAXED) != 0) {
    pthread_kill((pthread_t)to, SIGUSR1);
    usleep(100);
  }
  return nullptr;
}

static bool signals_while_opening() {
  void *tls = open_library(0, RTLD_LAZY), *lazy = open_library(4, RTLD_LAZY);
  in_signal_[0] = (int (*)())dlsym(tls, "use");
  in_signal_[1] = (int (*)())dlsym(lazy, "use");
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, nullptr);
  running = 1;
  pthread_t sender;
  pthread_create(&sender, nullptr, send_signals, (void*)pthread_self());
  bool good = true;
  for (double end = seconds() + 0.7; seconds() < end && good;)
    for (unsigned id : {2u, 3u, 5u, 7u, 9u}) {
      void* handle = open_library(id, RTLD_NOW);
      good = use(handle, id) && dlclose(handle) == 0 && good;
    }
  __atomic_store_n(&running, 0, __ATOMIC_RELAXED);
  pthread_join(sender, nullptr);
  signal(SIGUSR1, SIG_IGN);
  dlclose(tls);
  dlclose(lazy);
  return good && signals_wrong == 0;
}

static long resident_pages() {
  long size = 0, resident = 0;
  FILE* file = fopen("/proc/self/statm", "re");
  if (fscanf(file, "%ld %ld", &size, &resident) != 2) give_up("statm");
  fclose(file);
  return resident;
}

static bool many_rounds() {
  long pages = 0;
  struct mallinfo2 heap = {};
  for (int i = 0; i < 6000; ++i) {
    unsigned id = (unsigned[]){0, 2, 3, 4}[i % 4];
    void* handle = open_library(id, RTLD_NOW);
    if (handle == nullptr || dlclose(handle) != 0) return false;
    if (i % 8 == 0 && (dlopen("/nonexistent.so", RTLD_NOW) != nullptr || dlerror() == nullptr))
      return false;
    if (i == 1000) {
      pages = resident_pages();
      heap = mallinfo2();
    }
  }
  return resident_pages() - pages < 32 && mallinfo2().uordblks <= heap.uordblks + 1024;
}

int main(int argc, char** argv) {
  directory = program_directory();
  if (argc > 1 && strcmp(argv[1], "fork") == 0) {
    result("R40 children of a busy process open libraries", beside(8, 3, child_opens));
    return 0;
  }
  auto idle = [] { return usleep(10000) == 0; };
  result("R37 threads that open, use, look up and close ten libraries", beside(4, 1, idle));
  result("R37 constructors and destructors are in balance afterwards", balanced());
  result("R38 first calls of the same functions in eight threads at once",
         beside(2, 0.7, first_calls_at_once));
  result("R39 sixteen threads, thread-local storage and its destructors", beside(16, 1, idle));
  result("R39 a library goes when no thread holds an object of it", balanced());
  result("R41 signal handlers bind functions and reach thread-local storage while dlopen runs",
         signals_while_opening());
  result("R42 constructors and destructors that open and close", balanced());
  result("R43 everything closed is unmapped, its destructors run once", balanced());
  result("R44 thousands of rounds grow nothing", many_rounds());
  return 0;
}
