// apt's lists in LZ4 frames, which are looked at when a library is missing.
#include "rtld/start/lz4.hpp"
#include "tests/fuzz/input.hpp"

#include <vector>

using namespace myld;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static std::vector<char> room(start::kLz4Room);
  for (std::string_view wanted : {"\nPackage: libx1\n", "a"})
    (void)start::find_in_lz4({data, size}, wanted, room);
  return 0;
}
