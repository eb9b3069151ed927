// Many threads at once: opening, looking up, closing, binding lazily, throwing, making threads.
#include "../check.h"
#include <atomic>
#include <pthread.h>
#include <stdexcept>
#include <string>

constexpr int kThreads = 6;
static std::atomic<int> wrong;
static pthread_barrier_t barrier;

static void together(void* (*body)(void*)) {
  pthread_t threads[kThreads];
  pthread_barrier_init(&barrier, nullptr, kThreads);
  for (intptr_t i = 0; i < kThreads; ++i)
    pthread_create(&threads[i], nullptr, body, reinterpret_cast<void*>(i));
  for (pthread_t& thread : threads) pthread_join(thread, nullptr);
  pthread_barrier_destroy(&barrier);
}

// Every thread opens and closes the same libraries, so that references go up and down together.
static void* open_and_close(void* number) {
  const char* const files[] = {"liba.so", "libb.so", "libc-user.so"};
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 150; ++i) {
    const char* file = files[(i + reinterpret_cast<intptr_t>(number)) % 3];
    void* handle = dlopen(file, i % 2 ? RTLD_NOW : RTLD_LAZY);
    if (handle == nullptr) {
      ++wrong;
      continue;
    }
    auto answer = reinterpret_cast<int (*)(int)>(dlsym(handle, "answer"));
    auto local = reinterpret_cast<int* (*)()>(dlsym(handle, "local"));
    if (answer == nullptr || answer(i) != i + 1) ++wrong;
    if (local == nullptr || *local() != 5) ++wrong;
    // It is this thread's until the module goes: another opener keeps it and its value.
    if (dlsym(handle, "no_such_symbol") != nullptr) ++wrong;
    const char* text = dlerror();
    if (text == nullptr || strstr(text, "no_such_symbol") == nullptr) ++wrong;
    Dl_info info;
    if (dladdr(reinterpret_cast<void*>(answer), &info) == 0 ||
        strcmp(last_component(info.dli_fname), file) != 0)
      ++wrong;
    if (dlclose(handle) != 0) ++wrong;
  }
  return nullptr;
}

// The first calls of many functions, from all threads at the same moment.
static int (*first_calls)(int);
static double (*first_double_calls)(double, double, double);
static void* bind_lazily(void* number) {
  int i = static_cast<int>(reinterpret_cast<intptr_t>(number));
  pthread_barrier_wait(&barrier);
  if (first_calls(i) != 8 * i + 36) ++wrong;
  if (first_double_calls(i, 2.5, 0.25) != 2 * (i + 2.5 * 0.25)) ++wrong;
  return nullptr;
}

// Throwing through an opened library, while others open and close.
static void (*call_through)(void (*)(int), int);
static void thrower(int i) { throw std::runtime_error("number " + std::to_string(i)); }
static void* throw_and_catch(void* number) {
  int thread = static_cast<int>(reinterpret_cast<intptr_t>(number));
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 100; ++i) {
    if (thread == 0) {
      void* handle = dlopen("liba.so", RTLD_NOW);
      if (handle == nullptr || dlclose(handle) != 0) ++wrong;
      continue;
    }
    try {
      call_through(thrower, i);
      ++wrong;
    } catch (const std::exception& error) {
      if (error.what() != "number " + std::to_string(i)) ++wrong;
    }
  }
  return nullptr;
}

static void* nothing(void* argument) { return argument; }
static void* make_threads(void* number) {
  pthread_barrier_wait(&barrier);
  for (int i = 0; i < 60; ++i) {
    if (reinterpret_cast<intptr_t>(number) % 2 != 0) {
      void* handle = dlopen("libtls.so", RTLD_NOW);
      auto local = handle ? reinterpret_cast<int* (*)()>(dlsym(handle, "local")) : nullptr;
      if (local == nullptr || *local() != 5 || dlclose(handle) != 0) ++wrong;
      continue;
    }
    pthread_t thread;
    void* result = nullptr;
    if (pthread_create(&thread, nullptr, nothing, &thread) != 0) ++wrong;
    pthread_join(thread, &result);
    if (result != &thread) ++wrong;
  }
  return nullptr;
}

static bool nothing_wrong() { return wrong.exchange(0) == 0; }

int main() {
  CHECK("opening, looking up and closing") {
    together(open_and_close);
    EXPECT(nothing_wrong());
    EXPECT(!module_loaded("liba.so") && !module_loaded("libb.so"));
  }
  CHECK("lazy binding") {
    for (int round = 0; round < 20; ++round) {
      void* handle = must_open("liblazy.so", RTLD_LAZY);
      first_calls = reinterpret_cast<int (*)(int)>(must_find(handle, "first_calls"));
      first_double_calls = reinterpret_cast<double (*)(double, double, double)>(
          must_find(handle, "first_double_calls"));
      together(bind_lazily);
      EXPECT(dlclose(handle) == 0 && !module_loaded("liblazy.so"));
    }
    EXPECT(nothing_wrong());
  }
  CHECK("exceptions through an opened library") {
    void* handle = must_open("libthrough.so", RTLD_NOW);
    call_through =
        reinterpret_cast<void (*)(void (*)(int), int)>(must_find(handle, "call_through"));
    together(throw_and_catch);
    EXPECT(nothing_wrong());
    dlclose(handle);
  }
  CHECK("making threads while modules with TLS come and go") {
    together(make_threads);
    EXPECT(nothing_wrong());
  }
  return check_status();
}
