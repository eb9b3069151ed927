// Look-up through DT_GNU_HASH and DT_HASH: every walk ends, and what it finds has the name and the
// version that was asked for.
#include "loader/elf/versions.hpp"
#include "rtld/scope/lookup.hpp"
#include "rtld/scope/match.hpp"
#include "tests/fuzz/heap.hpp"
#include "tests/fuzz/heap_image.hpp"

#include <optional>

using namespace myld;

namespace {

constexpr std::uint32_t kMostNames = 40;

void look_up(load::Module& m, const char* name) {
  const elf::Version* versions[] = {nullptr, nullptr, nullptr};
  std::size_t n = 1;
  for (const elf::Version& v : m.versions)
    if (v.name != nullptr && n < std::size(versions)) versions[n++] = &v;
  for (std::size_t i = 0; i < n; ++i)
    for (auto purpose : {scope::Purpose::address, scope::Purpose::call, scope::Purpose::copy}) {
      auto request = scope::Request::of(name, versions[i], purpose);
      request.newest = purpose == scope::Purpose::copy;
      const elf::Sym* s = scope::find_in_module(m, request);
      if (s == nullptr) continue;
      auto index = static_cast<std::uint64_t>(s - m.image.symbols);
      FUZZ_EXPECT(index < m.image.symbol_limit);
      FUZZ_EXPECT(std::strcmp(m.image.strings.data + s->st_name, name) == 0);
    }
}

void look_up_all(load::Module& m) {
  for (const char* name : {"", "printf", "data", "_end"}) look_up(m, name);
  std::uint32_t names = 0;
  for (std::uint32_t i = 0; i < m.image.symbol_limit && names < kMostNames; ++i)
    if (const char* name = m.image.strings.at(m.image.symbols[i].st_name); name != nullptr) {
      ++names;
      look_up(m, name);
      (void)scope::version_of(m, i);
      if (m.image.versym != nullptr) (void)scope::version_is_known(m, i, m.image.symbols[i]);
    }
  FUZZ_EXPECT(m.image.gnu_hashed_end() <= m.image.symbol_limit);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto image = fuzz::HeapImage::make({data, size});
  if (image == nullptr) return 0;
  if (auto read = elf::read_image(image->bias(), image->segments(), "fuzz"); read) {
    std::optional<load::Module> m(std::in_place);
    m->image = read.value();
    m->display = "fuzz";
    if (elf::read_versions(m->image, "fuzz", m->versions).ok()) {
      look_up_all(*m);
      // And through the other table, where the file has both.
      m->image.gnu_hash = {};
      look_up_all(*m);
    }
  }
  fuzz::release_everything();
  return 0;
}
