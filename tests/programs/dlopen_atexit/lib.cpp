#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

struct Named {
  const char* name;
  explicit Named(const char* n) : name(n) { std::printf("%s is made\n", name); }
  ~Named() { std::printf("%s is gone\n", name); }
};

Named global("a global");
thread_local Named per_thread("a thread-local object");

void first() { std::puts("the first exit handler"); }
void second() { std::puts("the second exit handler"); }
void never() { std::puts("a handler for quick_exit"); }

__attribute__((destructor)) void destructor() { std::puts("the destructor"); }

}  // namespace

extern "C" void use_library() {
  static Named local("a static local object");
  std::atexit(first);
  std::atexit(second);
  std::at_quick_exit(never);
  std::thread([] { std::printf("a thread uses %s\n", per_thread.name); }).join();
}
