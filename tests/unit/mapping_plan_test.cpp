#include "loader/map/mapping.hpp"
#include "tests/unit/catch.hpp"

using myld::elf::Phdr;
using myld::map::plan_segment;
using myld::map::Step;

namespace {

Phdr load(std::uint32_t flags,
          std::uint64_t offset,
          std::uint64_t vaddr,
          std::uint64_t filesz,
          std::uint64_t memsz) {
  Phdr p{};
  p.p_type = PT_LOAD;
  p.p_flags = flags;
  p.p_offset = offset;
  p.p_vaddr = vaddr;
  p.p_filesz = filesz;
  p.p_memsz = memsz;
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
