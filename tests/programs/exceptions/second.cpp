#include "error.hpp"
#include <cstdio>

void second(int what) {
  Trace trace{"second"};
  try {
    third(what);
  } catch (Error& error) {
    error.depth++;
    throw;
  }
}
