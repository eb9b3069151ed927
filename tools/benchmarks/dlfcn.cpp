// What the calls of <dlfcn.h> and their relatives cost in a running program.
//
//   dlfcn FOLDER GROUP...
//
// FOLDER holds what dlfcn.py made. Each line of output is `NAME NANOSECONDS`: the best of several batches, since whatever
// else the machine does only adds. One thread is measured in processor time, several in real time.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <string>
#include <time.h>
#include <vector>

extern "C" {
int start_ie(long), start_gd(long), start_desc(long);  // of libraries that the program needs
}

namespace {

std::string folder;
volatile std::uintptr_t sink;
constexpr long kAccesses = 1000000;

double now(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return double(t.tv_sec) * 1e9 + double(t.tv_nsec);
}

void report(const std::string& name, double ns) { std::printf("%s %.2f\n", name.c_str(), ns); }

/// The best of `batches` batches of `operations` calls of `body`, for one call.
template <class Body>
double best(int batches, long operations, Body body) {
  double least = 1e300;
  for (int batch = 0; batch <= batches; ++batch) {  // the first warms up
    double start = now(CLOCK_PROCESS_CPUTIME_ID);
    for (long i = 0; i < operations; ++i) body();
    double each = (now(CLOCK_PROCESS_CPUTIME_ID) - start) / double(operations);
    if (batch > 0 && each < least) least = each;
  }
  return least;
}

[[noreturn]] void fail() {
  std::fprintf(stderr, "dlfcn: %s\n", dlerror());
  std::exit(1);
}

void* open(const std::string& name, int flags = RTLD_NOW) {
  void* handle = dlopen((folder + "/" + name).c_str(), flags);
  if (handle == nullptr) fail();
  return handle;
}

template <class F = void*>
F symbol(void* handle, const std::string& name) {
  void* found = dlsym(handle, name.c_str());
  if (found == nullptr) fail();
  return reinterpret_cast<F>(found);
}

// ---- threads ------------------------------------------------------------------------------------

/// Time of one call when `count` threads make them at once.
template <class Body>
double together(int count, int batches, long operations, Body body) {
  struct Job {
    pthread_barrier_t* start;
    long operations;
    Body* body;
    int number;
    double from, to;
  };
  double least = 1e300;
  for (int batch = 0; batch < batches; ++batch) {
    pthread_barrier_t start;
    pthread_barrier_init(&start, nullptr, static_cast<unsigned>(count));
    std::vector<Job> jobs;
    for (int i = 0; i < count; ++i) jobs.push_back({&start, operations, &body, i, 0, 0});
    std::vector<pthread_t> threads(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i)
      pthread_create(
          &threads[i], nullptr,
          [](void* argument) -> void* {
            auto* job = static_cast<Job*>(argument);
            pthread_barrier_wait(job->start);
            job->from = now(CLOCK_MONOTONIC);
            for (long k = 0; k < job->operations; ++k) (*job->body)(job->number);
            job->to = now(CLOCK_MONOTONIC);
            return nullptr;
          },
          &jobs[i]);
    double from = 1e300, to = 0;
    for (int i = 0; i < count; ++i) {
      pthread_join(threads[i], nullptr);
      if (jobs[i].from < from) from = jobs[i].from;
      if (jobs[i].to > to) to = jobs[i].to;
    }
    pthread_barrier_destroy(&start);
    if ((to - from) / double(operations) < least) least = (to - from) / double(operations);
  }
  return least;
}

// ---- with more and more libraries loaded ----------------------------------------------------------

void* last = nullptr;
int loaded = 0;

std::string component(int i) {
  char name[64];
  std::snprintf(name, sizeof name, "many/libcomponent%04d.so", i);
  return name;
}

/// Opens libraries, each by itself and for all, until there are `count`.
double load_until(int count) {
  int before = loaded;
  double start = now(CLOCK_PROCESS_CPUTIME_ID);
  while (loaded < count) last = open(component(++loaded), RTLD_NOW | RTLD_GLOBAL);
  return count == before ? 0 : (now(CLOCK_PROCESS_CPUTIME_ID) - start) / (count - before);
}

void opening(const std::string& with) {
  report("dlopen + dlclose, small library" + with,
         best(20, loaded >= 1000 ? 10 : 40, [] { dlclose(open("libsmall0.so")); }));
}

void symbols(const std::string& with) {
  std::string newest = "data_" + std::to_string(loaded);
  report("dlsym RTLD_DEFAULT, in libc" + with,
         best(20, 2000, [] { sink = reinterpret_cast<std::uintptr_t>(dlsym(RTLD_DEFAULT, "strtoimax")); }));
  if (last != nullptr) {
    report("dlsym RTLD_DEFAULT, first opened" + with,
           best(20, 500, [] { sink = reinterpret_cast<std::uintptr_t>(dlsym(RTLD_DEFAULT, "data_1")); }));
    report("dlsym RTLD_DEFAULT, last opened" + with, best(20, 500, [&] {
             sink = reinterpret_cast<std::uintptr_t>(dlsym(RTLD_DEFAULT, newest.c_str()));
           }));
    report("dlsym of a handle" + with, best(20, 2000, [&] {
             sink = reinterpret_cast<std::uintptr_t>(dlsym(last, newest.c_str()));
           }));
    report("dlsym of a handle, missing" + with, best(20, 500, [] {
             sink = reinterpret_cast<std::uintptr_t>(dlsym(last, "no_such_symbol"));
           }));
  }
  report("dlsym RTLD_DEFAULT, missing" + with, best(20, 200, [] {
           sink = reinterpret_cast<std::uintptr_t>(dlsym(RTLD_DEFAULT, "no_such_symbol"));
         }));
  report("dlsym missing, and dlerror" + with, best(20, 200, [] {
           sink = reinterpret_cast<std::uintptr_t>(dlsym(RTLD_DEFAULT, "no_such_symbol"));
           sink = reinterpret_cast<std::uintptr_t>(dlerror());
         }));
}

int visit(dl_phdr_info* info, std::size_t, void*) {
  sink = sink + info->dlpi_addr;
  return 0;
}

void addresses(const std::string& with) {
  void* inside = last == nullptr ? reinterpret_cast<void*>(&visit) : dlsym(last, ("data_" + std::to_string(loaded)).c_str());
  report("dladdr" + with, best(20, 500, [&] {
           Dl_info found;
           sink = static_cast<std::uintptr_t>(dladdr(inside, &found));
         }));
  report("dl_iterate_phdr" + with, best(20, 100, [] { dl_iterate_phdr(visit, nullptr); }));
}

void in_threads(const std::string& with) {
  for (int count : {1, 2})
    report("dlsym in " + std::to_string(count) + (count == 1 ? " thread" : " threads") + with,
           together(count, 10, 20000, [](int) {
             sink = reinterpret_cast<std::uintptr_t>(dlsym(RTLD_DEFAULT, "strtoimax"));
           }));
  for (int count : {1, 2})
    report("dlopen + dlclose in " + std::to_string(count) + (count == 1 ? " thread" : " threads") + with,
           together(count, 5, loaded >= 1000 ? 20 : 100,
                    [](int i) { dlclose(open(i == 0 ? "libsmall0.so" : "libsmall1.so")); }));
}

int (*throw_through)(int, long) = nullptr;

void throwing(const std::string& with) {
  report("throw and catch through 8 libraries" + with, best(10, 1, [] { sink = throw_through(8, 1000); }) / 1000);
}

// ---- groups ---------------------------------------------------------------------------------------

void group_open() {
  void* handle = open("libsmall0.so");
  report("dlopen + dlclose of what is open", best(20, 1000, [] { dlclose(open("libsmall0.so")); }));
  dlclose(handle);
  report("dlopen of a missing file", best(20, 100, [] {
           sink = reinterpret_cast<std::uintptr_t>(dlopen("/nonexistent/library.so", RTLD_NOW));
           dlerror();
         }));
  report("dlopen RTLD_NOLOAD of a library that is not loaded", best(20, 50, [] {
           sink = reinterpret_cast<std::uintptr_t>(dlopen((folder + "/libsmall2.so").c_str(), RTLD_NOW | RTLD_NOLOAD));
         }));
  report("dlopen + dlclose, 100 dependencies", best(6, 1, [] { dlclose(open("hundred/libroot.so")); }));
}

void group_lazy() {
  double first = 1e300;
  for (int i = 0; i < 6; ++i) {
    void* handle = open("liblazy.so", RTLD_LAZY);
    auto run = symbol<int (*)()>(handle, "call_each");
    double start = now(CLOCK_PROCESS_CPUTIME_ID);
    sink = static_cast<std::uintptr_t>(run());
    double each = (now(CLOCK_PROCESS_CPUTIME_ID) - start) / *symbol<int*>(handle, "call_count");
    if (each < first) first = each;
    if (i == 5) report("later calls", best(20, 1, [&] { sink = static_cast<std::uintptr_t>(run()); }) / *symbol<int*>(handle, "call_count"));
    dlclose(handle);
  }
  report("first call of a lazily bound function", first);
}

void group_tls() {
  auto each = [](const char* name, int (*access)(long)) {
    report(name, best(20, 1, [&] { sink = static_cast<std::uintptr_t>(access(kAccesses)); }) / kAccesses);
  };
  auto opened = [](const char* file, const char* name) { return symbol<int (*)(long)>(open(file), name); };
  each("initial exec", start_ie);
  each("general dynamic, from the start", start_gd);
  each("general dynamic, opened", opened("libtls_gd.so", "opened_gd"));
  each("general dynamic, opened, 16 KiB", opened("libtls_gd_large.so", "large_gd"));
  if (dlsym(RTLD_DEFAULT, "start_desc") == nullptr) return;  // this compiler has no descriptors
  each("descriptor, from the start", start_desc);
  each("descriptor, opened", opened("libtls_desc.so", "opened_desc"));
  each("descriptor, opened, 16 KiB", opened("libtls_desc_large.so", "large_desc"));
}

void group_throw() {
  for (int hops : {1, 8, 16})
    report("throw and catch through " + std::to_string(hops) + (hops == 1 ? " library" : " libraries"),
           best(10, 1, [&] { sink = throw_through(hops, 1000); }) / 1000);
  for (int count : {1, 2})
    report("throw and catch in " + std::to_string(count) + (count == 1 ? " thread" : " threads"),
           together(count, 10, 5, [](int) { sink = throw_through(1, 1000); }) / 1000);
  report("pthread_create + pthread_join", best(10, 50, [] {
           pthread_t thread;
           pthread_create(&thread, nullptr, [](void* p) { return p; }, nullptr);
           pthread_join(thread, nullptr);
         }));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  folder = argv[1];
  auto wants = [&](const char* group) {
    for (int i = 2; i < argc; ++i)
      if (std::strcmp(argv[i], group) == 0) return true;
    return false;
  };
  if (wants("throw")) throw_through = symbol<int (*)(int, long)>(open("libthrow0.so"), "throw_through");
  if (wants("open")) group_open();
  if (wants("lazy")) group_lazy();
  if (wants("tls")) group_tls();
  if (wants("throw")) group_throw();
  for (int count : {0, 10, 100, 1000}) {
    if (!wants("open") && !wants("symbol") && !wants("address") && !wants("thread") && !wants("throw")) break;
    int before = loaded;
    double each = load_until(count);
    std::string with = ", " + std::to_string(count) + " loaded";
    if (wants("open") && count != 0)
      report("dlopen, each from " + std::to_string(before) + " to " + std::to_string(count) + " loaded", each);
    if (wants("open")) opening(with);
    if (wants("symbol")) symbols(with);
    if (wants("address")) addresses(with);
    if (wants("thread")) in_threads(with);
    if (wants("throw")) throwing(with);
    std::fflush(stdout);
  }
  return 0;
}
