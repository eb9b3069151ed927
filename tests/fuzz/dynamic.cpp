// The dynamic section: what read_image() lets through can be read to its end.
#include "tests/fuzz/heap.hpp"
#include "tests/fuzz/heap_image.hpp"

using namespace myld;

namespace {

template <class T>
void read(std::span<const T> table) {
  const volatile T* p = table.data();
  for (std::size_t i = 0; i < table.size(); ++i) {
    T copy;
    std::memcpy(&copy, const_cast<const T*>(p + i), sizeof copy);
  }
}

void read_strings(const elf::Image& i) {
  for (const char* text : {i.soname, i.rpath, i.runpath}) fuzz::read_all(text);
  for (std::uint32_t n = 0; n < i.dynamic_count; ++n) {
    const elf::Dyn& d = i.dynamic[n];
    if (d.d_tag == DT_NEEDED || d.d_tag == DT_AUXILIARY || d.d_tag == DT_FILTER) {
      const char* name = i.strings.at(d.d_un.d_val);
      FUZZ_EXPECT(name != nullptr);
      fuzz::read_all(name);
    }
  }
}

void read_tables(const elf::Image& i) {
  read(std::span(i.symbols, i.symbols == nullptr ? 0 : i.symbol_limit));
  read(std::span(i.versym, i.versym == nullptr ? 0 : i.symbol_limit));
  read(i.rela);
  read(i.jmprel);
  read(i.relr);
  FUZZ_EXPECT(i.relative_count <= i.rela.size());
  for (auto table : {i.init.preinit_array, i.init.init_array, i.init.fini_array}) read(table);
  if (i.init.init.value != 0) FUZZ_EXPECT(i.segments.is_code(i.init.init));
  if (i.init.fini.value != 0) FUZZ_EXPECT(i.segments.is_code(i.init.fini));
  if (i.got_plt != nullptr) read(std::span<const std::uintptr_t>(i.got_plt, 3));
}

void check_metadata(const elf::Image& i) {
  elf::Image::Range ranges[elf::Image::kMetadataRanges];
  std::size_t n = i.metadata(ranges);
  FUZZ_EXPECT(n <= elf::Image::kMetadataRanges);
  for (std::size_t k = 0; k < n; ++k)
    FUZZ_EXPECT(i.segments.find_in_file({ranges[k].start}, ranges[k].end - ranges[k].start) !=
                nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto image = fuzz::HeapImage::make({data, size});
  if (image == nullptr) return 0;
  auto read = elf::read_image(image->bias(), image->segments(), "fuzz");
  if (read) {
    read_strings(read.value());
    read_tables(read.value());
    check_metadata(read.value());
  }
  fuzz::release_everything();
  return 0;
}
