// Look-up through DT_GNU_HASH and DT_HASH: every walk ends, what it finds has the name and the
// version that was asked for, and an index of the chains' rests has the same.
#include "loader/elf/versions.hpp"
#include "rtld/scope/chain_index.hpp"
#include "rtld/scope/match.hpp"
#include "tests/fuzz/heap.hpp"
#include "tests/fuzz/heap_image.hpp"

#include <optional>

using namespace myld;

namespace {

constexpr std::uint32_t kMostNames = 40;
constexpr std::uint32_t kAlwaysWalk = ~std::uint32_t{0};

void forget_index(load::Module& m) {
  if (m.rests != nullptr) heap::release(m.rests, *static_cast<std::size_t*>(m.rests));
  m.rests = nullptr;
  m.walked = 0;
}

/// `little`: how far a look-up that has an index walks.
void look_up(load::Module& m, const char* name, std::uint32_t little) {
  const elf::Version* versions[] = {nullptr, nullptr, nullptr};
  std::size_t n = 1;
  for (const elf::Version& v : m.versions)
    if (v.name != nullptr && n < std::size(versions)) versions[n++] = &v;
  for (std::size_t i = 0; i < n; ++i)
    for (auto purpose : {scope::Purpose::address, scope::Purpose::call, scope::Purpose::copy}) {
      auto request = scope::Request::of(name, versions[i], purpose);
      request.newest = purpose == scope::Purpose::copy;
      request.hidden_version_ok = i == 2;
      scope::g_patience = kAlwaysWalk;
      const elf::Sym* s = scope::find_in_module(m, request);
      scope::g_patience = little;
      FUZZ_EXPECT(scope::find_in_module(m, request) == s);
      if (s == nullptr) continue;
      auto index = static_cast<std::uint64_t>(s - m.image.symbols);
      FUZZ_EXPECT(index < m.image.symbol_limit);
      FUZZ_EXPECT(std::strcmp(m.image.strings.data + s->st_name, name) == 0);
    }
}

void look_up_all(load::Module& m, std::uint32_t little, bool memory) {
  scope::g_patience = little;
  if (!memory) fuzz::fail_after(0);
  scope::note_walked(m, kAlwaysWalk);
  FUZZ_EXPECT(memory || m.rests == nullptr);
  for (const char* name : {"", "printf", "data", "_end"}) look_up(m, name, little);
  std::uint32_t names = 0;
  for (std::uint32_t i = 0; i < m.image.symbol_limit && names < kMostNames; ++i)
    if (const char* name = m.image.strings.at(m.image.symbols[i].st_name); name != nullptr) {
      ++names;
      look_up(m, name, little);
      (void)scope::version_of(m, i);
      if (m.image.versym != nullptr) (void)scope::version_is_known(m, i, m.image.symbols[i]);
    }
  FUZZ_EXPECT(m.image.gnu_hashed_end() <= m.image.symbol_limit);
  forget_index(m);
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
      // The last byte says how far a walk goes, and whether there is memory.
      std::uint32_t little = data[size - 1] & 3;
      bool memory = (data[size - 1] & 4) == 0;
      look_up_all(*m, little, memory);
      // And through the other table, where the file has both.
      m->image.gnu_hash = {};
      look_up_all(*m, little, memory);
    }
  }
  fuzz::release_everything();
  return 0;
}
