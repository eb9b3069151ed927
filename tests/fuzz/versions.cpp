// DT_VERDEF, DT_VERNEED and DT_VERSYM.
#include "loader/elf/versions.hpp"

#include "rtld/scope/lookup.hpp"
#include "tests/fuzz/heap.hpp"
#include "tests/fuzz/heap_image.hpp"

#include <optional>

using namespace myld;

namespace {

/// Often enough that looking at one by one ends, and they are sorted; both must say the same.
void ask_for_versions(const elf::VersionTable& versions) {
  auto defined = [&](const elf::Version& wanted) {
    for (const elf::Version& v : versions)
      if (v.name != nullptr && v.file == nullptr && v.hash == wanted.hash &&
          std::strcmp(v.name, wanted.name) == 0)
        return true;
    return false;
  };
  constexpr std::size_t kFew = 32;
  std::size_t asked = 0;
  for (const elf::Version& v : versions)
    if (v.name != nullptr && asked++ < kFew)
      FUZZ_EXPECT(versions.defines(v.name, v.hash) == defined(v));
  if (asked == 0 || versions.size() > kFew) return;
  const char* nobody = "no such version";
  for (std::size_t i = 0; i < 20 * (versions.size() + 64); i += versions.size())
    FUZZ_EXPECT(!versions.defines(nobody, 1));
  for (const elf::Version& v : versions)
    if (v.name != nullptr) FUZZ_EXPECT(versions.defines(v.name, v.hash) == defined(v));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto image = fuzz::HeapImage::make({data, size});
  if (image == nullptr) return 0;
  if (auto read = elf::read_image(image->bias(), image->segments(), "fuzz"); read) {
    std::optional<load::Module> m(std::in_place);
    m->image = read.value();
    // The last byte says after how many allocations there is no memory.
    if (data[size - 1] < 16) fuzz::fail_after(data[size - 1]);
    if (elf::read_versions(m->image, "fuzz", m->versions).ok()) {
      FUZZ_EXPECT(m->versions.size() <= elf::kVersionIndexMask + 1u);
      elf::for_each_needed_version(m->versions, [&](const elf::Version& v) {
        fuzz::read_all(v.name);
        fuzz::read_all(v.file);
      });
      ask_for_versions(m->versions);
      for (std::uint32_t i = 0; m->image.versym != nullptr && i < m->image.symbol_limit; ++i)
        if (const elf::Version* v = scope::version_of(*m, i); v != nullptr) fuzz::read_all(v->name);
    }
  }
  fuzz::release_everything();
  return 0;
}
