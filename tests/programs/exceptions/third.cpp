#include "error.hpp"
#include <cstdio>

Trace::~Trace() { std::printf("leaving %s\n", name); }

void third(int what) {
  Trace trace{"third"};
  if (what == 1) throw Error("from the third library");
  if (what == 2) throw 42;
  if (what == 3) throw std::out_of_range("of the standard library");
}
