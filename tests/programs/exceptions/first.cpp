#include "error.hpp"

void first(int what) {
  Trace trace{"first"};
  try {
    second(what);
  } catch (const std::out_of_range& error) {
    std::throw_with_nested(Error("outer"));
  }
}
