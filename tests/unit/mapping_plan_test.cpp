#include "loader/map/huge.hpp"
#include "loader/map/mapping.hpp"
#include "loader/map/spread.hpp"
#include "tests/unit/catch.hpp"
#include "tests/unit/headers.hpp"

#include <set>

using myld::elf::Phdr;
using myld::map::plan_segment;
using myld::map::Step;

namespace {

Phdr load(std::uint32_t flags,
          std::uint64_t offset,
          std::uint64_t vaddr,
          std::uint64_t filesz,
          std::uint64_t memsz) {
  Phdr p = myld::testing::phdr(PT_LOAD, flags, offset, vaddr, filesz, memsz);
  p.p_align = 0x1000;
  return p;
}

constexpr std::uint64_t kPage = 0x1000;

}  // namespace

TEST_CASE("text: one mapping of whole pages") {
  Step steps[3];
  REQUIRE(plan_segment(load(PF_R | PF_X, 0x1000, 0x1000, 0x1234, 0x1234), kPage, steps) == 1);
  CHECK(steps[0].kind == Step::Kind::file);
  CHECK(steps[0].at.value == 0x1000);
  CHECK(steps[0].bytes == 0x2000);
  CHECK(steps[0].offset.value == 0x1000);
  CHECK(steps[0].prot == (1 | 4));
}

TEST_CASE("data with bss in its last page: the rest is zeroed") {
  Step steps[3];
  REQUIRE(plan_segment(load(PF_R | PF_W, 0x2df0, 0x3df0, 0x230, 0x238), kPage, steps) == 2);
  CHECK(steps[0].at.value == 0x3000);
  CHECK(steps[0].offset.value == 0x2000);
  CHECK(steps[1].kind == Step::Kind::zero);
  CHECK(steps[1].at.value == 0x4020);
  CHECK(steps[1].bytes == 8);
}

TEST_CASE("data with bss of many pages: the rest is anonymous") {
  Step steps[3];
  REQUIRE(plan_segment(load(PF_R | PF_W, 0x2df0, 0x3df0, 0x230, 0x5000), kPage, steps) == 3);
  CHECK(steps[1].at.value == 0x4020);
  CHECK(steps[1].bytes == 0x5000 - 0x4020);
  CHECK(steps[2].kind == Step::Kind::anonymous);
  CHECK(steps[2].at.value == 0x5000);
  CHECK(steps[2].bytes == 0x4000);
}

TEST_CASE("bss alone: nothing comes from the file") {
  Step steps[3];
  REQUIRE(plan_segment(load(PF_R | PF_W, 0x3000, 0x7000, 0, 0x1800), kPage, steps) == 1);
  CHECK(steps[0].kind == Step::Kind::anonymous);
  CHECK(steps[0].at.value == 0x7000);
  CHECK(steps[0].bytes == 0x2000);
}

namespace {

myld::elf::Segments segments_of(const Phdr* phdrs, std::size_t count) {
  myld::elf::Segments s;
  s.phdrs = {phdrs, count};
  s.loads = {phdrs, count};
  s.start = {phdrs[0].p_vaddr & ~(kPage - 1)};
  s.end = {(phdrs[count - 1].p_vaddr + phdrs[count - 1].p_memsz + kPage - 1) & ~(kPage - 1)};
  s.align = kPage;
  return s;
}

}  // namespace

TEST_CASE(
    "one mapping for the span, and for read-only segments that lie in the file as in memory") {
  const Phdr phdrs[] = {
      load(PF_R, 0, 0, 0x5a0, 0x5a0), load(PF_R | PF_X, 0x1000, 0x1000, 0x80, 0x80),
      load(PF_R, 0x2000, 0x2000, 0x100, 0x100), load(PF_R, 0x2100, 0x3100, 0x100, 0x100),
      load(PF_R | PF_W, 0x3df0, 0x4df0, 0x230, 0x1230)};
  auto segments = segments_of(phdrs, 5);
  myld::map::Base base = myld::map::plan_base(segments, kPage);
  CHECK(base.bytes == 0x7000);
  CHECK(base.offset.value == 0);
  const bool covered[] = {true, false, true, false, false};
  for (std::size_t i = 0; i < 5; ++i) {
    Step steps[3];
    plan_segment(phdrs[i], kPage, steps);
    base.first_alone = false;
    CHECK(base.covers(segments, steps[0]) == covered[i]);
    base.first_alone = true;
    CHECK(base.covers(segments, steps[0]) == (i == 0));
  }
}

TEST_CASE("no such mapping: where it would open more than the segments do") {
  const Phdr gap[] = {load(PF_R, 0, 0, 0x10, 0x10), load(PF_R | PF_X, 0x1000, 0x2000, 0x80, 0x80)};
  CHECK(myld::map::plan_base(segments_of(gap, 2), kPage).bytes == 0);
  const Phdr text_first[] = {load(PF_R | PF_X, 0, 0, 0x10, 0x10),
                             load(PF_R | PF_W, 0x1000, 0x1000, 0x80, 0x80)};
  CHECK(myld::map::plan_base(segments_of(text_first, 2), kPage).bytes == 0);
  const Phdr no_file[] = {load(PF_R, 0, 0, 0, 0x10)};
  CHECK(myld::map::plan_base(segments_of(no_file, 1), kPage).bytes == 0);
  const Phdr empty_last[] = {load(PF_R, 0, 0, 0x10, 0x10), load(PF_R | PF_W, 0x3c0, 0x23c0, 0, 0)};
  CHECK(myld::map::plan_base(segments_of(empty_last, 2), kPage).bytes == 0);
  const Phdr aligned[] = {load(PF_R, 0, 0, 0x10, 0x10)};
  auto segments = segments_of(aligned, 1);
  segments.align = 0x200000;
  CHECK(myld::map::plan_base(segments, kPage).bytes == 0);
}

TEST_CASE("modules are spread by a gap that only the key tells") {
  // The reference implementation's vector for the bytes 0 to 7, its key the bytes 0 to 15.
  const std::uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
  CHECK(myld::map::siphash(key, 0x0706050403020100) == 0x93f5f5799a932462);

  CHECK(myld::map::suggest_place(4096) == nullptr);  // nobody asked for gaps
  constexpr std::uintptr_t kTop = 0x7f0000000000;
  myld::map::spread({kTop}, key);
  std::uintptr_t lowest = kTop;
  std::set<std::uintptr_t> gaps;
  for (int i = 0; i < 128; ++i) {
    std::uint64_t bytes = i % 10 == 9 ? 5 << 20 : 0x7000;
    auto at = reinterpret_cast<std::uintptr_t>(myld::map::suggest_place(bytes));
    REQUIRE(at % (bytes >= myld::map::kHugePage ? myld::map::kHugePage : 4096) == 0);
    std::uintptr_t gap = lowest - (at + bytes);
    CHECK(gap >= 4096);
    if (i == 0) {
      CHECK(gap > myld::map::kHugePage);
      CHECK(gap <= myld::map::kHugePage + (16 << 20));
    } else {
      CHECK(gap <= (128 << 10) + (bytes >= myld::map::kHugePage ? 4 * myld::map::kHugePage : 0));
    }
    if (i != 0 && bytes == 0x7000) gaps.insert(gap);
    myld::map::note_place(at);
    lowest = at;
  }
  CHECK(gaps.size() >= 28);  // of 32 possible ones
  CHECK(myld::map::suggest_place(4096) == nullptr);

  myld::map::spread({kTop}, key);
  CHECK(myld::map::suggest_place(4096) != nullptr);
  myld::map::stop_spreading();
  CHECK(myld::map::suggest_place(4096) == nullptr);
}
