#include <stdexcept>
static int caught;
__attribute__((constructor)) static void begin() {
  try {
    throw std::runtime_error("in a constructor");
  } catch (const std::exception&) {
    ++caught;
  }
}
extern "C" int caught_in_constructor() { return caught; }
