// The binding file: what the view lets through, and that both ways of finding slots agree.
#include "loader/base/mem.hpp"
#include "loader/binding/format.hpp"
#include "tests/unit/catch.hpp"

#include <cstring>
#include <random>
#include <vector>

using namespace myld::binding;

namespace {

constexpr std::uint16_t kMachine = 62;

/// A file with two modules, a search, a stamp and three slots.
std::vector<std::uint8_t> make() {
  const char strings[] = "\0/bin/program\0/lib/x.so\0x.so";
  Header h{};
  memcpy(h.magic, kMagic, sizeof h.magic);
  h.format = kFormat;
  h.machine = kMachine;
  ModuleRecord modules[3] = {};
  modules[0].path = 1;
  modules[0].addresses = 2;
  modules[0].first_other = 2;
  modules[0].others = 1;
  modules[2].path = 14;
  modules[2].first = 3;
  SearchRecord search{24, 14, 0, 2, kNone, 8};
  StampRecord stamp{};
  stamp.path = 14;
  Slot slots[3] = {
      {16, 5, 2, SlotKind::address}, {24, 6, 3, SlotKind::address}, {0, 1, 2, SlotKind::symbol}};
  PlacementRecord placement{2, 1, 2, 64, 0x7e8000000000, 0x1000, 0x4000};
  AreaRecord areas[2] = {{0x2000, 0x1000, 5, AreaKind::file},
                         {0x3000, 0x2000, 3, AreaKind::until_relocated}};
  h.image_bytes = 0x5000;
  std::vector<std::uint8_t> file(sizeof h);
  auto put = [&](Table& table, const void* from, std::size_t count, std::size_t element) {
    file.resize((file.size() + 7) & ~std::size_t{7});
    table = {static_cast<std::uint32_t>(file.size()), static_cast<std::uint32_t>(count)};
    const auto* bytes = static_cast<const std::uint8_t*>(from);
    file.insert(file.end(), bytes, bytes + count * element);
  };
  put(h.modules, modules, 3, sizeof modules[0]);
  put(h.searches, &search, 1, sizeof search);
  put(h.stamps, &stamp, 1, sizeof stamp);
  put(h.placements, &placement, 1, sizeof placement);
  put(h.areas, areas, 2, sizeof areas[0]);
  put(h.strings, strings, sizeof strings, 1);
  put(h.slots, slots, 3, sizeof slots[0]);
  h.rest = 2;
  h.bytes = file.size();
  memcpy(file.data(), &h, sizeof h);
  h.rest_checksum = checksum(rest_part(h, file));
  memcpy(file.data(), &h, sizeof h);
  h.checksum = checksum(checked_part(h, file));
  memcpy(file.data(), &h, sizeof h);
  return file;
}

/// Reads everything that the view gives, as a start would.
std::uint64_t walk(const View& v) {
  std::uint64_t sum = 0;
  for (const ModuleRecord& m : v.modules()) {
    sum += strlen(v.string(m.path));
    for (const Slot& s : v.addresses(m)) sum += s.at;
    for (const Slot& s : v.others(m)) sum += s.value;
  }
  for (const SearchRecord& s : v.searches()) {
    sum += strlen(v.string(s.name)) + strlen(v.string(s.path)) + s.by;
    if (s.module != kNone) sum += v.modules()[s.module].path;
    if (s.of != kNone) sum += v.modules()[s.of].path;
    sum += v.modules()[s.requester].path;
  }
  for (const StampRecord& s : v.stamps()) sum += strlen(v.string(s.path));
  for (const PlacementRecord& p : v.placements()) {
    sum += v.modules()[p.module].path;
    for (const Slot& s : v.moving(p)) sum += s.at;
    CHECK(p.offset + p.bytes <= v.header().image_bytes);
  }
  for (const AreaRecord& a : v.areas()) {
    CHECK(a.offset + a.bytes <= v.header().image_bytes);
    CHECK((a.prot & 6) != 6);
  }
  return sum + strlen(v.string(v.header().key)) + strlen(v.string(v.header().directory)) +
         strlen(v.string(v.header().cpu)) + strlen(v.string(v.header().image));
}

}  // namespace

TEST_CASE("a binding file is read") {
  auto file = make();
  View v;
  REQUIRE(v.read(file, kMachine) == nullptr);
  CHECK(v.is_whole(file));
  CHECK(v.is_rest_whole(file));
  REQUIRE(v.modules().size() == 3);
  CHECK(std::string(v.string(v.modules()[2].path)) == "/lib/x.so");
  CHECK(v.addresses(v.modules()[0]).size() == 2);
  CHECK(v.others(v.modules()[0])[0].kind == SlotKind::symbol);
  REQUIRE(v.placements().size() == 1);
  CHECK(v.moving(v.placements()[0]).size() == 2);
  REQUIRE(v.areas().size() == 2);
  CHECK(v.areas()[1].kind == AreaKind::until_relocated);
  CHECK(v.read(file, kMachine + 1) != nullptr);
  CHECK(v.modules().empty());
}

TEST_CASE("a binding file that is cut short is refused") {
  auto file = make();
  for (std::size_t n = 0; n < file.size(); ++n) {
    std::vector<std::uint8_t> cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(n));
    View v;
    CHECK(v.read(cut, kMachine) != nullptr);
    // And where it says that it is so long.
    if (cut.size() < sizeof(Header)) continue;
    std::uint64_t bytes = n;
    memcpy(cut.data() + offsetof(Header, bytes), &bytes, sizeof bytes);
    if (v.read(cut, kMachine) == nullptr) walk(v);
  }
}

TEST_CASE("the checksum knows every byte that changed") {
  auto file = make();
  View v;
  for (std::size_t i = 32; i < file.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      file[i] ^= static_cast<std::uint8_t>(1 << bit);
      bool whole = v.read(file, kMachine) == nullptr && v.is_whole(file) && v.is_rest_whole(file);
      CHECK(!whole);
      file[i] ^= static_cast<std::uint8_t>(1 << bit);
    }
}

TEST_CASE("a binding file of any bytes is refused or can be walked") {
  std::mt19937 random(1);
  const auto good = make();
  unsigned accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    auto file = good;
    for (unsigned n = 1 + random() % 6; n != 0; --n) {
      std::uint32_t values[] = {0,
                                1,
                                UINT32_MAX,
                                0x80000000,
                                static_cast<std::uint32_t>(file.size()),
                                static_cast<std::uint32_t>(random())};
      std::size_t at = 32 + (random() % (file.size() - 36) & ~std::size_t{3});
      memcpy(file.data() + at, &values[random() % 6], 4);
    }
    View v;
    if (v.read(file, kMachine) != nullptr) continue;
    ++accepted;
    walk(v);
    CHECK(!(v.is_whole(file) && v.is_rest_whole(file) && file != good));
  }
  CHECK(accepted != 0);
  CHECK(accepted != 20000);
}
