// Whole files through the parsers: what the fuzzers' generator builds is taken, and one wrong field
// of it is an error of its own.
#include "loader/elf/versions.hpp"
#include "tests/fuzz/elf_builder.hpp"
#include "tests/fuzz/heap_image.hpp"
#include "tests/unit/catch.hpp"

#include <functional>

namespace {

using namespace myld;
using Bytes = std::vector<std::uint8_t>;

/// What becomes of a file: Code::none if everything in it is right.
Code read(const Bytes& file) {
  auto header = elf::check_header(file, file.size(), "file", elf::kAnyMachine);
  if (!header) return header.error().code;
  std::vector<elf::Phdr> phdrs(header.value().e_phnum);
  std::memcpy(phdrs.data(), file.data() + header.value().e_phoff, phdrs.size() * sizeof(elf::Phdr));
  auto segments = elf::check_segments(phdrs, file.size(), fuzz::kPage, {}, "file");
  if (!segments) return segments.error().code;
  auto heap = fuzz::HeapImage::make(file);
  REQUIRE(heap != nullptr);
  auto image = elf::read_image(heap->bias(), heap->segments(), "file");
  if (!image) return image.error().code;
  elf::VersionTable versions;
  Status s = elf::read_versions(image.value(), "file", versions);
  return s.ok() ? Code::none : s.error().code;
}

/// A view of a file that is known to be right.
struct File {
  Bytes bytes;

  elf::Ehdr& header() { return *reinterpret_cast<elf::Ehdr*>(bytes.data()); }
  elf::Phdr& segment(std::uint32_t type) {
    auto* p = reinterpret_cast<elf::Phdr*>(bytes.data() + header().e_phoff);
    for (int i = 0; i < header().e_phnum; ++i)
      if (p[i].p_type == type) return p[i];
    throw std::runtime_error("no such segment");
  }
  elf::Dyn* find(std::int64_t tag) {
    elf::Phdr& p = segment(PT_DYNAMIC);
    auto* d = reinterpret_cast<elf::Dyn*>(bytes.data() + p.p_offset);
    for (; d->d_tag != DT_NULL; ++d)
      if (d->d_tag == tag) return d;
    return nullptr;
  }
  std::uint64_t& value(std::int64_t tag) { return find(tag)->d_un.d_val; }
  /// Tables are in the first segment, whose addresses are places in the file.
  template <class T>
  T* table(std::int64_t tag) {
    return reinterpret_cast<T*>(bytes.data() + value(tag));
  }
};

/// The first file that has all of what the cases below change.
File rich_file() {
  for (unsigned seed = 1;; ++seed) {
    fuzz::Random random(seed);
    File f{fuzz::build_elf(random)};
    bool rich = f.header().e_machine == EM_X86_64;
    for (std::int64_t tag :
         {std::int64_t{DT_GNU_HASH}, std::int64_t{DT_HASH}, std::int64_t{DT_VERNEED},
          std::int64_t{DT_RELA}, std::int64_t{DT_JMPREL}, std::int64_t{DT_RELR},
          std::int64_t{DT_INIT}, std::int64_t{DT_INIT_ARRAY}, std::int64_t{DT_NEEDED}})
      rich = rich && f.find(tag) != nullptr;
    if (rich) return f;
  }
}

struct Wrong {
  Code code;
  const char* what;
  void (*change)(File&);
};

void leave_only_sysv_hash(File& f) {
  constexpr std::int64_t kIgnored = 0x6ffffeff;  // DT_ADDRRNGHI
  f.find(DT_GNU_HASH)->d_tag = kIgnored;
}

const Wrong kWrong[] = {
    {Code::not_elf, "no magic", [](File& f) { f.bytes[1] = 'e'; }},
    {Code::bad_phentsize, "e_phentsize", [](File& f) { f.header().e_phentsize = 55; }},
    {Code::phdr_outside_file, "e_phoff", [](File& f) { f.header().e_phoff = UINT64_MAX - 8; }},
    {Code::segment_outside_file, "p_offset wraps",
     [](File& f) { f.segment(PT_LOAD).p_offset = UINT64_MAX - 0xfff; }},
    {Code::segment_bad_align, "p_align", [](File& f) { f.segment(PT_LOAD).p_align = 0x1800; }},
    {Code::segment_address, "p_vaddr", [](File& f) { f.segment(PT_LOAD).p_vaddr = ~0xfffull; }},
    {Code::header_outside_segment, "PT_DYNAMIC",
     [](File& f) { f.segment(PT_DYNAMIC).p_vaddr += 1 << 20; }},
    {Code::dynamic_not_terminated, "no DT_NULL",
     [](File& f) { f.segment(PT_DYNAMIC).p_filesz = 16; }},
    {Code::strtab_not_terminated, "DT_STRSZ", [](File& f) { f.value(DT_STRSZ) -= 1; }},
    {Code::string_outside_table, "DT_NEEDED", [](File& f) { f.value(DT_NEEDED) = 1 << 30; }},
    {Code::dynamic_outside_segment, "DT_SYMTAB", [](File& f) { f.value(DT_SYMTAB) = ~7ull; }},
    {Code::dynamic_bad_entry_size, "DT_SYMENT", [](File& f) { f.value(DT_SYMENT) = 16; }},
    {Code::dynamic_outside_segment, "bloom filter misaligned",
     [](File& f) { f.value(DT_GNU_HASH) += 4; }},
    {Code::bad_hash_table, "no buckets",
     [](File& f) { f.table<std::uint32_t>(DT_GNU_HASH)[0] = 0; }},
    {Code::bad_hash_table, "a bloom filter of three words",
     [](File& f) { f.table<std::uint32_t>(DT_GNU_HASH)[2] = 3; }},
    {Code::dynamic_outside_segment, "buckets past the segment",
     [](File& f) { f.table<std::uint32_t>(DT_GNU_HASH)[0] = UINT32_MAX; }},
    {Code::bad_hash_table, "more chains than symbols",
     [](File& f) { f.table<std::uint32_t>(DT_HASH)[1] += 40; }},
    {Code::bad_hash_table, "a chain of DT_HASH, the only table, that goes in a circle",
     [](File& f) {
       leave_only_sysv_hash(f);
       std::uint32_t* table = f.table<std::uint32_t>(DT_HASH);
       std::uint32_t* chain = table + 2 + table[0];
       for (std::uint32_t bucket = 0; bucket < table[0]; ++bucket)
         if (std::uint32_t i = table[2 + bucket]; i != 0) chain[i] = i;
     }},
    {Code::dynamic_outside_segment, "fewer versions than DT_HASH has symbols",
     [](File& f) {
       elf::Phdr& first = f.segment(PT_LOAD);
       f.value(DT_VERSYM) = first.p_vaddr + (first.p_filesz & ~std::uint64_t{1}) - 2;
     }},
    {Code::dynamic_bad_size, "DT_RELASZ", [](File& f) { f.value(DT_RELASZ) += 1; }},
    {Code::dynamic_bad_entry_size, "DT_PLTREL", [](File& f) { f.value(DT_PLTREL) = DT_REL; }},
    {Code::dynamic_bad_entry_size, "DT_RELRENT", [](File& f) { f.value(DT_RELRENT) = 4; }},
    {Code::bad_code_address, "DT_INIT in data",
     [](File& f) { f.value(DT_INIT) = f.segment(PT_DYNAMIC).p_vaddr; }},
    {Code::dynamic_outside_segment, "DT_INIT_ARRAYSZ of 2^46",
     [](File& f) { f.value(DT_INIT_ARRAYSZ) = std::uint64_t{1} << 46; }},
    {Code::bad_version_table, "vn_version",
     [](File& f) { f.table<elf::Verneed>(DT_VERNEED)->vn_version = 2; }},
    {Code::bad_version_table, "vn_aux",
     [](File& f) { f.table<elf::Verneed>(DT_VERNEED)->vn_aux = 0x7fffffff; }},
    {Code::bad_version_table, "vd_next that goes back",
     [](File& f) {
       f.value(DT_VERDEFNUM) = 1000000;
       f.table<elf::Verdef>(DT_VERDEF)->vd_next = 4;
     }},
    {Code::bad_version_table, "two names for one version",
     [](File& f) { f.table<elf::Vernaux>(DT_VERNEED)[1].vna_other = 2; }},
};

}  // namespace

TEST_CASE("what the generator builds is taken as it is", "[elf]") {
  for (unsigned seed = 1; seed < 1500; ++seed) {
    fuzz::Random random(seed);
    CAPTURE(seed);
    REQUIRE(read(fuzz::build_elf(random)) == Code::none);
  }
}

TEST_CASE("one wrong field is an error of its own", "[elf]") {
  const File good = rich_file();
  REQUIRE(read(good.bytes) == Code::none);
  for (const Wrong& each : kWrong) {
    File bad = good;
    each.change(bad);
    CAPTURE(each.what);
    CHECK(read(bad.bytes) == each.code);
  }
}

TEST_CASE("DT_HASH alone is enough", "[elf]") {
  File f = rich_file();
  leave_only_sysv_hash(f);
  CHECK(read(f.bytes) == Code::none);
}

TEST_CASE("a file that ends early is refused, wherever", "[elf]") {
  File good = rich_file();
  std::size_t end = good.segment(PT_DYNAMIC).p_offset + good.segment(PT_DYNAMIC).p_filesz;
  for (std::size_t n = 0; n < end; ++n) {
    CAPTURE(n);
    REQUIRE(read(Bytes(good.bytes.begin(), good.bytes.begin() + static_cast<std::ptrdiff_t>(n))) !=
            Code::none);
  }
}

TEST_CASE("RELRO lies in the pages of segments", "[elf]") {
  // Data as mold 2.37 lays it out where an empty TLS block stands before it, and an aligned part
  // behind.
  auto takes = [](std::uint64_t start, std::uint64_t end) {
    elf::Phdr phdrs[3] = {};
    phdrs[0] = {PT_LOAD, PF_R | PF_W, 0x798, 0x2798, 0x2798, 0x220, 0x868, 0x1000};
    phdrs[1] = {PT_LOAD, PF_R | PF_W, 0x4000, 0x4000, 0x4000, 0x48, 0x1000, 0x4000};
    phdrs[2] = {PT_GNU_RELRO, PF_R, 0, start, start, 0, end - start, 1};
    return elf::check_segments(phdrs, 0x5000, 0x1000, {}, "file").ok();
  };
  CHECK(takes(0x2792, 0x3000));
  CHECK(takes(0x2000, 0x3000));
  CHECK(takes(0x2792, 0x5000));
  CHECK(!takes(0x1fff, 0x3000));
  CHECK(!takes(0x2792, 0x3001));
  CHECK(!takes(0x2792, 0x5001));
  CHECK(!takes(0x3001, 0x5000));
}

TEST_CASE("a segment leaves what it shares a page with as it is", "[elf]") {
  auto takes = [](std::uint32_t flags, std::uint64_t start, std::uint64_t filesz) {
    const elf::Phdr phdrs[] = {
        {PT_LOAD, PF_R | PF_W, 0, 0x1000, 0x1000, 0x1400, 0x1400, 0x1000},
        {PT_LOAD, PF_R | PF_W, start - 0x1000, start, start, 0, 0, 0x1000},  // no bytes at all
        {PT_LOAD, flags, start - 0x1000, start, start, filesz, 0x100, 0x1000}};
    return elf::check_segments(phdrs, 0x5000, 0x1000, {}, "file").ok();
  };
  CHECK(takes(PF_R | PF_W, 0x2400, 0x100));
  CHECK(takes(PF_R, 0x3000, 0x100));
  CHECK(takes(PF_R | PF_W, 0x3000, 0));
  // The tables in the page could not be read, nor places in it be relocated.
  CHECK(!takes(0, 0x2400, 0x100));
  CHECK(!takes(PF_W, 0x2ff0, 0x100));
  CHECK(!takes(PF_R, 0x2400, 0x100));
  // An anonymous page would take the place of the file's.
  CHECK(!takes(PF_R | PF_W, 0x2400, 0));
}

TEST_CASE("notes are found in their segment only", "[elf]") {
  alignas(8) std::uint8_t memory[4096] = {};
  elf::Phdr phdrs[] = {{PT_LOAD, PF_R, 0, 0, 0, 64, sizeof memory, 4096},
                       {PT_NOTE, PF_R, 0, 0, 0, 64, 64, 4},
                       {PT_GNU_PROPERTY, PF_R, 0, 0, 0, 64, 64, 8}};
  elf::Image image;
  image.bias = {reinterpret_cast<std::uintptr_t>(memory)};
  image.segments.phdrs = phdrs;
  image.segments.loads = {phdrs, 1};
  std::uint32_t words[] = {4, 16, 5, 0x554e47, 0xc0000002, 4, 3, 0};
  auto put = [&](std::size_t word, std::uint32_t value) {
    words[word] = value;
    std::memcpy(memory, words, sizeof words);
  };
  put(0, 4);
  CHECK(elf::find_note(image, "GNU", 5).size() == 16);
  CHECK(elf::program_property(image, 0xc0000002) == 3);
  CHECK(elf::program_property(image, 0xc0000003) == 0);
  // Sizes that reach over the end, or that overflow when they are rounded up.
  for (std::uint32_t bytes : {64u, 0x7fffffffu, UINT32_MAX, UINT32_MAX - 3}) {
    put(1, bytes);
    CHECK(elf::find_note(image, "GNU", 5).empty());
    CHECK(elf::program_property(image, 0xc0000002) == 0);
    put(1, 16);
    put(0, bytes);
    CHECK(elf::find_note(image, "GNU", 5).empty());
    put(0, 4);
    put(5, bytes);
    CHECK(elf::program_property(image, 0xc0000002) == 0);
    put(5, 4);
  }
  // A note outside the file's part of a segment is none.
  phdrs[1].p_filesz = phdrs[2].p_filesz = 65;
  CHECK(elf::find_note(image, "GNU", 5).empty());
  CHECK(elf::program_property(image, 0xc0000002) == 0);
}

TEST_CASE("notes that lie over each other are not read without end", "[elf]") {
  alignas(8) std::uint8_t memory[1 << 16] = {};
  std::vector<elf::Phdr> phdrs(3, {PT_NOTE, PF_R, 0, 0, 0, sizeof memory, sizeof memory, 4});
  phdrs[0].p_type = PT_LOAD;
  elf::Image image;
  image.bias = {reinterpret_cast<std::uintptr_t>(memory)};
  image.segments.phdrs = phdrs;
  image.segments.loads = {phdrs.data(), 1};
  // Notes of twelve bytes, and the one that is looked for behind them.
  constexpr std::size_t kAt = sizeof memory / 12 * 12 - 24;
  const std::uint32_t words[] = {4, 4, 5, 0x554e47, 7};
  std::memcpy(memory + kAt, words, sizeof words);
  CHECK(elf::find_note(image, "GNU", 5).size() == 4);
  phdrs.insert(phdrs.begin() + 1, 20, phdrs[1]);
  image.segments.phdrs = phdrs;
  image.segments.loads = {phdrs.data(), 1};
  CHECK(elf::find_note(image, "GNU", 5).size() == 4);
  // Before the segment that has it, twenty with five thousand others each: more than a file has.
  for (std::size_t i = 1; i <= 20; ++i) phdrs[i].p_filesz = sizeof memory - 1024;
  CHECK(elf::find_note(image, "GNU", 5).empty());
}

TEST_CASE("headers between the PT_LOADs are noticed", "[elf]") {
  auto segments_of = [](std::size_t between) {
    std::vector<elf::Phdr> phdrs(between + 4, {PT_NULL, 0, 0, 0, 0, 0, 0, 0});
    phdrs[1] = {PT_LOAD, PF_R, 0, 0, 0, 4096, 4096, 4096};
    phdrs[between + 2] = {PT_LOAD, PF_R | PF_X, 4096, 4096, 4096, 4096, 4096, 4096};
    auto s = elf::check_segments(phdrs, 8192, 4096, {}, "file");
    REQUIRE(s.ok());
    CHECK(s.value().loads.size() == between + 2);
    CHECK(s.value().find({4096}, 4096) == &phdrs[between + 2]);
    CHECK(s.value().find({8192}, 1) == nullptr);
    return s.value().scattered();
  };
  CHECK_FALSE(segments_of(0));
  CHECK_FALSE(segments_of(8));
  CHECK(segments_of(5000));
}
