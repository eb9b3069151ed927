// PT_NOTE and PT_GNU_PROPERTY.
#include "tests/fuzz/heap_image.hpp"

using namespace myld;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto heap = fuzz::HeapImage::make({data, size});
  if (heap == nullptr) return 0;
  // Notes are read of files whose dynamic section is refused, too.
  elf::Image image;
  image.bias = heap->bias();
  image.segments = heap->segments();
  for (const char* owner : {"GNU", "NixOS", "", "FDO"})
    for (std::uint32_t type : {0u, 1u, 3u, 5u, 0x63a86cb6u, 0xcafe1a7eu}) {
      auto note = elf::find_note(image, owner, type);
      std::uint8_t sum = 0;
      for (std::uint8_t byte : note) sum = static_cast<std::uint8_t>(sum + byte);
      volatile std::uint8_t seen = sum;
      (void)seen;
    }
  for (std::uint32_t type : {0xc0000000u, 0xc0000002u, 0xc0008002u, 0u})
    (void)elf::program_property(image, type);
  return 0;
}
