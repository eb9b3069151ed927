#pragma once
#include <stdexcept>

/// Thrown by the last library, caught by the program: its type info must be one, or be compared by
/// name.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
  int depth = 0;
};

/// Tells the order in which frames are unwound.
struct Trace {
  const char* name;
  ~Trace();
};

void first(int what);
void second(int what);
void third(int what);
