#include "types.hpp"
#include <new>
#include <stdexcept>

extern "C" void throws(int kind) {
  switch (kind) {
  case 0: throw Derived(7);
  case 1: throw Base(1);
  case 2: throw std::out_of_range("far away");
  case 3: throw std::bad_alloc();
  default: throw kind;
  }
}

static int guards_destroyed;
struct Guard {
  ~Guard() { ++guards_destroyed; }
};

extern "C" void passes_on(void (*function)()) {
  Guard guard;
  function();
}
extern "C" int unwound() { return guards_destroyed; }

extern "C" int catches(void (*function)()) {
  try {
    function();
  } catch (const Derived& error) {
    return error.number;
  }
  return -1;
}

extern "C" Base* make(int number) { return new Derived(number); }
