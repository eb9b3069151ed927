#include "error.hpp"
#include <cstdio>
#include <thread>

static void try_all() {
  for (int what = 0; what < 4; what++) {
    try {
      first(what);
      std::puts("nothing thrown");
    } catch (const Error& error) {
      std::printf("Error: %s, depth %d\n", error.what(), error.depth);
      try {
        std::rethrow_if_nested(error);
      } catch (const std::exception& inner) {
        std::printf("nested: %s\n", inner.what());
      }
    } catch (int number) {
      std::printf("int: %d\n", number);
    }
  }
}

int main() {
  try_all();
  std::thread(try_all).join();
}
