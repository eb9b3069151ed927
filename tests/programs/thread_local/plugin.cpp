#include <cstdio>
#include <stdexcept>

struct Local {
  int id;
  explicit Local(int i) : id(i) { std::printf("local of thread %d made\n", id); }
  ~Local() { std::printf("local of thread %d destroyed\n", id); }
};

extern "C" int use(int thread) {
  thread_local Local local(thread);
  try {
    if (local.id != thread) throw std::logic_error("another thread's");
    throw std::runtime_error("through a dlopened library");
  } catch (const std::runtime_error& error) {
    std::printf("caught: %s\n", error.what());
  }
  return local.id;
}
extern "C" [[noreturn]] void fail() { throw std::range_error("to the program"); }
