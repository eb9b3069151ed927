#include "types.hpp"
extern "C" int catches_derived(void (*function)(int), int argument) {
  try {
    function(argument);
  } catch (const Derived& error) {
    return error.number;
  } catch (...) {
    return -1;
  }
  return -2;
}
