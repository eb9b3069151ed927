// The ELF header and the program headers: whatever is let through keeps the promises that mapping
// relies on.
#include "loader/elf/headers.hpp"
#include "loader/base/mem.hpp"
#include "loader/map/mapping.hpp"
#include "tests/fuzz/input.hpp"

#include <vector>

using namespace myld;

namespace {

constexpr std::uint64_t kPages[] = {4096, 16384, 65536};

void check_plan(const elf::Segments& s, std::uint64_t page, std::uint64_t file_size) {
  std::uint64_t end = 0;
  for (const elf::Phdr& p : s.phdrs) {
    if (p.p_type != PT_LOAD) continue;
    FUZZ_EXPECT(p.p_filesz <= p.p_memsz && p.p_offset <= file_size &&
                p.p_filesz <= file_size - p.p_offset);
    FUZZ_EXPECT(p.p_vaddr >= end && p.p_vaddr + p.p_memsz >= p.p_vaddr);
    FUZZ_EXPECT((p.p_flags & (PF_W | PF_X)) != (PF_W | PF_X));
    end = p.p_vaddr + p.p_memsz;
    FUZZ_EXPECT(s.start.value <= p.p_vaddr && end <= s.end.value);
    map::Step steps[3];
    std::size_t n = map::plan_segment(p, page, steps);
    FUZZ_EXPECT(n <= 3);
    for (std::size_t i = 0; i < n; ++i) {
      const map::Step& step = steps[i];
      FUZZ_EXPECT(step.at >= s.start && step.bytes <= s.end.value - step.at.value);
      if (step.kind != map::Step::Kind::zero)
        FUZZ_EXPECT(step.at.value % page == 0 && step.bytes % page == 0);
      if (step.kind == map::Step::Kind::file) FUZZ_EXPECT(step.offset.value % page == 0);
    }
  }
  map::Base base = map::plan_base(s, page);
  FUZZ_EXPECT(base.bytes == 0 || base.bytes == s.end.value - s.start.value);
}

void check_parts(const elf::Segments& s, std::uint64_t page) {
  for (const elf::Phdr* p : {s.dynamic, s.eh_frame, s.first_of(PT_PHDR)})
    if (p != nullptr && p->p_memsz != 0)
      FUZZ_EXPECT(s.find_in_file({p->p_vaddr}, p->p_filesz) != nullptr);
  if (s.tls != nullptr && s.tls->p_filesz != 0)
    FUZZ_EXPECT(s.find_in_file({s.tls->p_vaddr}, s.tls->p_filesz) != nullptr);
  if (s.relro != nullptr && s.relro->p_memsz != 0) {
    // Its ends lie in pages of segments, which need not be the same nor begin where it does.
    std::uint64_t end = s.relro->p_vaddr + s.relro->p_memsz;
    FUZZ_EXPECT(end >= s.relro->p_vaddr && end <= s.end.value);
    for (std::uint64_t at : {s.relro->p_vaddr, end})
      FUZZ_EXPECT(s.find_in_pages({at}, 0, page) != nullptr);
    (void)map::in_relro(s, {s.relro->p_vaddr}, page);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::uint8_t> file(data, size);
  for (std::uint16_t machine : {arch::Port::kMachine, elf::kAnyMachine})
    (void)elf::check_header(file, size, "fuzz", machine);
  auto header = elf::check_header(file, size, "fuzz", elf::kAnyMachine);
  if (!header) return 0;
  // The program headers stand at any place, and are copied to be looked at.
  std::vector<elf::Phdr> phdrs(header.value().e_phnum);
  std::memcpy(phdrs.data(), data + header.value().e_phoff, phdrs.size() * sizeof(elf::Phdr));
  for (std::uint64_t page : kPages)
    if (auto s = elf::check_segments(phdrs, size, page, {}, "fuzz"); s) {
      check_plan(s.value(), page, size);
      check_parts(s.value(), page);
    }
  // An image that the kernel has mapped: its file's size is not known.
  (void)elf::check_segments(phdrs, UINT64_MAX, 4096, {.allow_writable_executable = true}, "fuzz");
  return 0;
}
