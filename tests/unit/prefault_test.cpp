#include <vector>

#include "loader/map/huge.hpp"
#include "rtld/relocate/prefault.hpp"
#include "tests/unit/catch.hpp"
#include "tests/unit/headers.hpp"

using namespace myld;
using relocate::Extent;
using testing::phdr;
using testing::segments_of;

namespace {

constexpr std::uint64_t kPage = 4096;

/// Text up to 0x10000, data [0x10100, 0x90000) with RELRO up to 0x50000.
struct File {
  std::vector<elf::Phdr> phdrs{3};
  std::vector<elf::Rela> rela;
  std::vector<elf::Relr> relr;
  elf::Image image;

  File() {
    phdrs[0] = phdr(PT_LOAD, PF_R | PF_X, 0, 0, 0x10000, 0x10000);
    phdrs[1] = phdr(PT_LOAD, PF_R | PF_W, 0x10100, 0x10100, 0x7ff00, 0x8ff00);
    phdrs[2] = phdr(PT_GNU_RELRO, PF_R, 0x10100, 0x10100, 0x3ff00, 0x3ff00);
    image.segments.phdrs = phdrs;
    image.segments.loads = phdrs;
    image.segments.relro = &phdrs[2];
  }
  void words(std::uint64_t from, std::uint64_t to, std::uint64_t step) {
    for (; from < to; from += step) rela.push_back({.r_offset = from, .r_info = 8, .r_addend = 0});
  }
  std::vector<Extent> extents() {
    image.rela = rela;
    image.relr = relr;
    image.relative_count = rela.size();
    std::vector<Extent> all;
    relocate::each_dense_extent(image, kPage, [&](const Extent& e) { all.push_back(e); });
    return all;
  }
};

}  // namespace

TEST_CASE("dense relocations make one extent, up to the near end of RELRO") {
  File f;
  f.words(0x10200, 0x48000, 8);
  auto e = f.extents();
  REQUIRE(e.size() == 1);
  CHECK(e[0].start == 0x10000);
  CHECK(e[0].end == 0x50000);
}

TEST_CASE("a gap parts extents, and single pages are none") {
  File f;
  f.words(0x52000, 0x56000, 16);
  f.words(0x70000, 0x70400, 8);
  f.words(0x78000, 0x7c000, 8);
  auto e = f.extents();
  REQUIRE(e.size() == 2);
  CHECK(e[0].start == 0x52000);
  CHECK(e[0].end == 0x56000);
  CHECK(e[1].start == 0x78000);
  CHECK(e[1].end == 0x7c000);
}

TEST_CASE("sparse relocations are none") {
  File f;
  f.words(0x52000, 0x80000, 1024);
  CHECK(f.extents().empty());
}

TEST_CASE("whatever the relocations say, extents are inside writable segments") {
  File f;
  f.words(0x8000, 0xc000, 8);    // text
  f.words(0x8e000, 0x98000, 8);  // beyond what comes from the file
  f.words(UINT64_MAX - 0x4000, UINT64_MAX - 0x100, 8);
  f.words(0, 0x1000, 8);
  for (const Extent& e : f.extents()) {
    CHECK(e.start >= 0x10000);
    CHECK(e.end <= 0x90000);
    CHECK(e.start < e.end);
  }
}

TEST_CASE("bitmaps that follow each other") {
  File f;
  f.relr = {0x52000};
  for (int i = 0; i < 100; ++i) f.relr.push_back(UINT64_MAX);
  auto e = f.extents();
  REQUIRE(e.size() == 1);
  CHECK(e[0].start == 0x52000);
  CHECK(e[0].end == 0x5f000);  // 0x52008 + 100 * 63 * 8
}

TEST_CASE("few pages of RELRO, and what little data follows, are written to for sure") {
  elf::Phdr load = phdr(PT_LOAD, PF_R | PF_W, 0x5d00, 0x6d00, 0x3400, 0x5000);
  elf::Phdr relro = phdr(PT_GNU_RELRO, PF_R, 0x5d00, 0x6d00, 0x2300, 0x2300);
  elf::Segments s;
  CHECK(map::plan_written(load, s, kPage).bytes == 0);
  s.relro = &relro;
  map::WrittenPart part = map::plan_written(load, s, kPage);
  CHECK(part.at.value == 0x6000);
  CHECK(part.bytes == 0x5000);   // up to the file's end at 0xa100
  load.p_memsz = load.p_filesz;  // nothing is zeroed
  CHECK(map::plan_written(load, s, kPage).bytes == 0x3000);
  load.p_filesz = 0x8000;  // much data
  load.p_memsz = 0x8800;
  CHECK(map::plan_written(load, s, kPage).bytes == 0x3000);
  relro.p_memsz = 0x9000;  // more than the file has
  CHECK(map::plan_written(load, s, kPage).bytes == 0x9000);
  load.p_filesz = load.p_memsz = 0x100000;
  relro.p_memsz = 0x80000;
  CHECK(map::plan_written(load, s, kPage).bytes == 0);
  relro.p_vaddr = 0x200000;  // another segment's
  CHECK(map::plan_written(load, s, kPage).bytes == 0);
  relro.p_vaddr = UINT64_MAX - 8;
  CHECK(map::plan_written(load, s, kPage).bytes == 0);
  // Two pages fault as cheaply as they are asked for.
  load = phdr(PT_LOAD, PF_R | PF_W, 0x5d00, 0x6d00, 0x400, 0x500);
  relro = phdr(PT_GNU_RELRO, PF_R, 0x5d00, 0x6d00, 0x300, 0x300);
  CHECK(map::plan_written(load, s, kPage).bytes == 0);
}

TEST_CASE("huge pages: whole ones, inside RELRO and the file") {
  elf::Phdr phdrs[] = {phdr(PT_LOAD, PF_R, 0, 0, 0x1000, 0x1000),
                       phdr(PT_LOAD, PF_R | PF_W, 0x1234, 0x5234, 0x700000, 0x800000),
                       phdr(PT_GNU_RELRO, PF_R, 0x1234, 0x5234, 0x500000, 0x500000)};
  elf::Segments s = segments_of(phdrs, kPage);
  CHECK(map::plan_huge(s, kPage).bytes == 0);
  s.relro = &phdrs[2];
  map::HugePart part = map::plan_huge(s, kPage);
  CHECK(part.at.value == 0x5000);
  CHECK(part.offset.value == 0x1000);
  CHECK(part.bytes == 2 * map::kHugePage);
  // Where segments want to be aligned, the part is.
  s.align = 0x10000;
  part = map::plan_huge(s, kPage);
  CHECK(part.at.value == 0x10000);
  CHECK(part.offset.value == 0xc000);
  CHECK(part.bytes == 2 * map::kHugePage);
  // RELRO that says more than the file has.
  s.align = kPage;
  phdrs[1].p_filesz = 0x280000;
  CHECK(map::plan_huge(s, kPage).bytes == map::kHugePage);
  phdrs[2].p_memsz = 0x100000;
  CHECK(map::plan_huge(s, kPage).bytes == 0);
}

TEST_CASE("huge pages for code: whole ones of the file, where the place can be chosen for them") {
  elf::Phdr phdrs[] = {phdr(PT_LOAD, PF_R, 0, 0, 0x1000, 0x1000),
                       phdr(PT_LOAD, PF_R | PF_X, 0x1000, 0x2000, 0x5ff000, 0x5ff000),
                       phdr(PT_LOAD, PF_R | PF_W, 0x600234, 0x602234, 0x700000, 0x800000),
                       phdr(PT_GNU_RELRO, PF_R, 0x600234, 0x602234, 0x500000, 0x500000)};
  elf::Segments s = segments_of(phdrs, kPage);
  map::HugePart text = map::plan_text(s, kPage);
  CHECK(text.at.value == 0x201000);
  CHECK(text.offset.value == 0x200000);
  CHECK(text.bytes == 2 * map::kHugePage);
  // Both cannot begin where they like: RELRO's part gives way.
  s.relro = &phdrs[3];
  map::HugePart relro = map::plan_huge(s, kPage, text);
  CHECK(relro.at.value == 0x801000);
  CHECK(relro.offset.value == 0x7ff000);
  CHECK(relro.bytes == map::kHugePage);
  // A page more of alignment than the two places differ by, as much as a huge page, larger pages.
  s.align = 2 * kPage;
  CHECK(map::plan_text(s, kPage).bytes == 0);
  s.align = map::kHugePage;
  CHECK(map::plan_text(s, kPage).bytes == 0);
  s.align = kPage;
  CHECK(map::plan_text(s, 4 * kPage).bytes == 0);
  // Megabytes without a whole one, and what is no code.
  phdrs[1].p_filesz = phdrs[1].p_memsz = 0x3fe000;
  CHECK(map::plan_text(s, kPage).bytes == 0);
  phdrs[1].p_filesz = phdrs[1].p_memsz = 0x3ff000;
  CHECK(map::plan_text(s, kPage).bytes == map::kHugePage);
  phdrs[1].p_flags = PF_R;
  CHECK(map::plan_text(s, kPage).bytes == 0);
}
