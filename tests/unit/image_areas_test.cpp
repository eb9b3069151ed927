// What the pages of a module in an image are: as the ordinary way of mapping leaves them.
#include "loader/sys/calls.hpp"
#include "rtld/binding/image_areas.hpp"
#include "tests/unit/catch.hpp"
#include "tests/unit/headers.hpp"

#include <vector>

using namespace myld;
using binding::AreaKind;
using binding::AreaRecord;
using binding::PageStates;
using binding::StoredRange;

namespace {

constexpr std::uint64_t kPage = 0x1000, kOffset = 0x100000;
constexpr std::uint32_t kCode = 5, kData = 3;

/// Where a segment is in the file does not matter here.
elf::Phdr header(std::uint32_t type,
                 std::uint32_t flags,
                 std::uint64_t at,
                 std::uint64_t filesz,
                 std::uint64_t memsz) {
  return testing::phdr(type, flags, at, at, filesz, memsz);
}

/// Read-only, code, read-only, and data with so much bss; the first page of the data is RELRO.
struct Library {
  std::vector<elf::Phdr> phdrs;
  elf::Segments segments;

  explicit Library(std::uint64_t bss, std::uint64_t data = 0x5e00)
      : phdrs{header(PT_LOAD, PF_R, 0, 0x800, 0x800),
              header(PT_LOAD, PF_R | PF_X, 0x1000, 0x1800, 0x1800),
              header(PT_LOAD, PF_R, 0x3000, 0x100, 0x100),
              header(PT_LOAD, PF_R | PF_W, data, 0x400, 0x400 + bss),
              header(PT_GNU_RELRO,
                     PF_R,
                     data,
                     round_up(data, kPage) - data,
                     round_up(data, kPage) - data)} {
    segments.phdrs = phdrs;
    segments.relro = &phdrs[4];
    segments.end = {round_up(data + 0x400 + bss, kPage)};
  }

  std::vector<AreaRecord> areas(std::vector<StoredRange> stored = {}) const {
    PageStates pages;
    Vec<AreaRecord> out;
    REQUIRE(pages.make(segments, kPage));
    pages.open(stored);
    pages.join_small();
    REQUIRE(pages.append(kOffset, out));
    return {out.begin(), out.end()};
  }
};

bool is(
    const AreaRecord& a, std::uint64_t at, std::uint64_t end, std::uint32_t prot, AreaKind kind) {
  return a.offset == kOffset + at && a.bytes == end - at && a.prot == prot && a.kind == kind;
}

}  // namespace

TEST_CASE("only code, data and holes are areas; RELRO is as the rest") {
  auto areas = Library(0).areas();
  REQUIRE(areas.size() == 3);
  CHECK(is(areas[0], 0x1000, 0x3000, kCode, AreaKind::file));
  CHECK(is(areas[1], 0x4000, 0x5000, 0, AreaKind::file));
  CHECK(is(areas[2], 0x6000, 0x7000, kData, AreaKind::file));
}

TEST_CASE("RELRO that is stored to is writable until then, and only the pages that are") {
  Library l(0, 0x5e00);
  auto areas = l.areas({{0x5ff8, 8}, {0x6100, 8}});
  REQUIRE(areas.size() == 4);
  CHECK(is(areas[2], 0x5000, 0x6000, kData, AreaKind::until_relocated));
  CHECK(is(areas[3], 0x6000, 0x7000, kData, AreaKind::file));
  // A word over the edge of two pages.
  Library wide(0x100, 0x4e00);
  wide.phdrs[3].p_filesz = 0x3000;
  wide.phdrs[3].p_memsz = 0x3000;
  wide.phdrs[4].p_filesz = wide.phdrs[4].p_memsz = 0x2200;
  wide.segments.end = {0x8000};
  areas = wide.areas({{0x5ffc, 8}});
  REQUIRE(areas.size() == 3);
  CHECK(is(areas[1], 0x5000, 0x7000, kData, AreaKind::until_relocated));
  CHECK(is(areas[2], 0x7000, 0x8000, kData, AreaKind::file));
}

TEST_CASE("a small bss is a part of the file, a large one is not") {
  auto small = Library(0xf000).areas();
  REQUIRE(small.size() == 3);
  CHECK(is(small[2], 0x6000, 0x16000, kData, AreaKind::file));
  auto large = Library(0x20000).areas();
  REQUIRE(large.size() == 4);
  CHECK(is(large[2], 0x6000, 0x7000, kData, AreaKind::file));
  CHECK(is(large[3], 0x7000, 0x27000, kData, AreaKind::anonymous));
}

TEST_CASE("pages of the file are told without the bss and without holes") {
  Library l(0x20000);
  PageStates pages;
  REQUIRE(pages.make(l.segments, kPage));
  std::vector<std::uint64_t> told;
  pages.each_in_file([&](std::uint64_t from, std::uint64_t to) {
    told.push_back(from);
    told.push_back(to);
  });
  CHECK(told == std::vector<std::uint64_t>{0, 0x4000, 0x5000, 0x7000});
}

TEST_CASE("what cannot be read, or is writable and executable, does not lie ready") {
  Library l(0);
  CHECK(binding::can_lie_ready(l.segments));
  l.phdrs[1].p_flags = PF_X;
  CHECK_FALSE(binding::can_lie_ready(l.segments));
  l.phdrs[1].p_flags = PF_R | PF_W | PF_X;
  CHECK_FALSE(binding::can_lie_ready(l.segments));
}
