// What each relocation of each ISA stores, on any host: a module is made of words in a buffer whose
// address is the load bias. The expected values come from the psABIs' formulae, not from the port.
#include "arch/aarch64/traits.hpp"
#include "arch/exemplar/traits.hpp"
#include "arch/riscv64/traits.hpp"
#include "arch/x86_64/traits.hpp"
#include "rtld/binding/slots.hpp"
#include "rtld/relocate/relocator.hpp"
#include "tests/unit/catch.hpp"

#include <array>
#include <cstring>
#include <elf.h>
#include <memory>
#include <random>
#include <string>
#include <vector>

// The relocator stores their addresses; nothing here jumps there.
extern "C" {
void myld_plt_trampoline() {}
void myld_plt_audit_trampoline() {}
void myld_tlsdesc_static() {}
void myld_tlsdesc_dynamic() {}
void myld_tlsdesc_undefined() {}
}

namespace {

using namespace myld;
using arch::Aarch64;
using arch::Exemplar;
using arch::RelocKind;
using arch::Riscv64;
using arch::X86_64;

/// The psABI's answers that the formulae below need. Sources: AMD64 supplement table 4.9 (binutils'
/// -z mark-plt stores something else in the addend of the slots), AAELF64 "Dynamic relocations",
/// RISC-V psABI "Relocations" and "Constants".
template <class P>
struct Facts;
template <>
struct Facts<X86_64> {
  static constexpr bool got_has_addend = false;
  static constexpr std::uint64_t dtv_offset = 0;
  static constexpr unsigned bind_now_mask = 0;
};
template <>
struct Facts<Aarch64> {
  static constexpr bool got_has_addend = true;
  static constexpr std::uint64_t dtv_offset = 0;
  static constexpr unsigned bind_now_mask = 0x80;
};
template <>
struct Facts<Riscv64> {
  static constexpr bool got_has_addend = false;
  static constexpr std::uint64_t dtv_offset = 0x800;
  static constexpr unsigned bind_now_mask = 0x80;
};
template <>
struct Facts<Exemplar> {
  static constexpr bool got_has_addend = true;
  static constexpr std::uint64_t dtv_offset = 0x4000;
  static constexpr unsigned bind_now_mask = 0x40;
};

/// The port's number for a kind; 0 if it has none (0 is R_*_NONE everywhere).
template <class P>
std::uint32_t number_of(RelocKind kind) {
  for (std::uint32_t n = 1; n < 2048; ++n)
    if (P::reloc_kind(n) == kind) return n;
  return 0;
}

constexpr std::uint64_t kText = 0, kData = 0x1000, kEnd = 0x3000;
constexpr std::uint64_t kGot = kData + 0x800;  // reserved words, then the slots

/// A module of one page of code and two of data, with a symbol table and a hash table of its own.
struct Fake {
  alignas(4096) std::array<std::byte, kEnd> memory{};
  std::vector<elf::Phdr> phdrs;
  std::vector<elf::Sym> symbols = std::vector<elf::Sym>(1);
  std::string strings = std::string(1, '\0');
  std::vector<std::uint32_t> hash;
  std::vector<elf::Rela> rela, jmprel;
  std::vector<elf::Relr> relr;
  load::Module module;
  load::Namespace ns;
  std::unique_ptr<std::byte[]> chain_memory, list_memory;
  load::Scope scope;

  explicit Fake(const char* name) {
    module.display = name;
    module.ns = &ns;
    module.image.bias.value = reinterpret_cast<std::uintptr_t>(memory.data());
    phdrs.push_back({.p_type = PT_LOAD,
                     .p_flags = PF_R | PF_X,
                     .p_offset = 0,
                     .p_vaddr = kText,
                     .p_paddr = 0,
                     .p_filesz = kData,
                     .p_memsz = kData,
                     .p_align = 0x1000});
    phdrs.push_back({.p_type = PT_LOAD,
                     .p_flags = PF_R | PF_W,
                     .p_offset = kData,
                     .p_vaddr = kData,
                     .p_paddr = 0,
                     .p_filesz = kEnd - kData,
                     .p_memsz = kEnd - kData,
                     .p_align = 0x1000});
    module.image.segments.start = {0};
    module.image.segments.end = {kEnd};
  }

  std::uint64_t bias() const { return module.image.bias.value; }
  template <class T>
  T get(std::uint64_t at) const {
    T value;
    std::memcpy(&value, memory.data() + at, sizeof value);
    return value;
  }
  std::uint64_t word(std::uint64_t at) const { return get<std::uint64_t>(at); }
  void set(std::uint64_t at, std::uint64_t value) {
    std::memcpy(memory.data() + at, &value, sizeof value);
  }

  std::uint32_t symbol(const char* name,
                       std::uint16_t shndx,
                       std::uint64_t value,
                       unsigned type = STT_OBJECT,
                       unsigned binding = STB_GLOBAL,
                       std::uint64_t size = 0,
                       std::uint8_t other = 0) {
    elf::Sym s{};
    s.st_name = static_cast<std::uint32_t>(strings.size());
    strings += name;
    strings += '\0';
    s.st_info = static_cast<unsigned char>(binding << 4 | type);
    s.st_other = other;
    s.st_shndx = shndx;
    s.st_value = value;
    s.st_size = size;
    symbols.push_back(s);
    return static_cast<std::uint32_t>(symbols.size() - 1);
  }

  /// Gives the module its tables, and a scope of `modules`.
  void finish(std::vector<load::Module*> modules) {
    auto count = static_cast<std::uint32_t>(symbols.size());
    // One bucket, whose chain holds every symbol.
    hash.assign(1 + count, 0);
    hash[0] = count > 1 ? 1 : 0;
    for (std::uint32_t i = 1; i + 1 < count; ++i) hash[1 + i] = i + 1;
    elf::Image& image = module.image;
    image.segments.phdrs = phdrs;
    image.segments.loads = phdrs;
    image.strings = {strings.data(), strings.size()};
    image.symbols = symbols.data();
    image.symbol_limit = count;
    image.sysv_hash = {.bucket_count = 1, .chain_count = count, .buckets = hash.data()};
    image.rela = rela;
    image.jmprel = jmprel;
    image.relr = relr;
    list_memory.reset(
        new std::byte[sizeof(load::ModuleList) + modules.size() * sizeof(load::Module*)]);
    auto* list = new (list_memory.get()) load::ModuleList;
    list->count = static_cast<std::uint32_t>(modules.size());
    std::memcpy(list->modules, modules.data(), modules.size() * sizeof(load::Module*));
    scope.list = list;
    chain_memory.reset(new std::byte[sizeof(load::ScopeChain) + sizeof(load::Scope*)]);
    auto* chain = new (chain_memory.get()) load::ScopeChain;
    chain->count = 1;
    chain->scopes[0] = &scope;
    module.scopes = chain;
  }
};

elf::Rela entry(std::uint64_t at, std::uint32_t type, std::uint32_t symbol, std::int64_t addend) {
  return {at, (std::uint64_t{symbol} << 32) | type, addend};
}

/// The module that is relocated, one that it is bound to, and the errors.
struct Scene {
  Fake user{"user.so"}, provider{"provider.so"};
  Runtime runtime;
  std::vector<Error> errors;
  elf::Phdr provider_tls{.p_type = PT_TLS,
                         .p_flags = PF_R,
                         .p_offset = kData,
                         .p_vaddr = kData,
                         .p_paddr = 0,
                         .p_filesz = 0x40,
                         .p_memsz = 0x100,
                         .p_align = 16};

  Scene() { runtime.loader.page_size = 4096; }

  template <class P>
  Status run() {
    user.finish({&user.module, &provider.module});
    provider.finish({&provider.module});
    load::ErrorSink sink{[](void* context, const Error& e) {
                           static_cast<std::vector<Error>*>(context)->push_back(e);
                           return true;
                         },
                         &errors};
    relocate::Relocator<P> relocator(runtime, user.module, sink);
    MYLD_CHECK(relocator.run());
    return relocator.finish();
  }

  /// Adds one relocation, if the port has such a kind, at `at`.
  template <class P>
  bool add(RelocKind kind, std::uint64_t at, std::uint32_t symbol, std::int64_t addend) {
    std::uint32_t type = number_of<P>(kind);
    if (type == 0) return false;
    user.rela.push_back(entry(at, type, symbol, addend));
    return true;
  }

  void give_provider_tls(bool is_static) {
    provider.module.image.segments.tls = &provider_tls;
    provider.module.tls = {
        .module_id = 7, .is_static = is_static, .tp_offset = is_static ? 0x5000 : 0};
  }
};

// ---- the tables --------------------------------------------------------------------------------

struct Row {
  std::uint32_t number;
  RelocKind kind;
};

template <class P>
void compare_table(const std::vector<Row>& rows) {
  for (std::uint32_t n = 0; n < 2048; ++n) {
    RelocKind wanted = RelocKind::unknown;
    for (const Row& row : rows)
      if (row.number == n) wanted = row.kind;
    CAPTURE(n);
    CHECK(P::reloc_kind(n) == wanted);
    CHECK((std::string(P::reloc_name(n)) == "unknown") == (wanted == RelocKind::unknown));
  }
}

TEST_CASE("each port knows its psABI's dynamic relocations and no other", "[relocation]") {
  // <elf.h> is a second witness of the numbers.
  compare_table<X86_64>({{R_X86_64_NONE, RelocKind::none},
                         {R_X86_64_64, RelocKind::symbolic},
                         {R_X86_64_PC32, RelocKind::pc32},
                         {R_X86_64_COPY, RelocKind::copy},
                         {R_X86_64_GLOB_DAT, RelocKind::glob_dat},
                         {R_X86_64_JUMP_SLOT, RelocKind::jump_slot},
                         {R_X86_64_RELATIVE, RelocKind::relative},
                         {R_X86_64_32, RelocKind::abs32},
                         {R_X86_64_DTPMOD64, RelocKind::dtpmod},
                         {R_X86_64_DTPOFF64, RelocKind::dtpoff},
                         {R_X86_64_TPOFF64, RelocKind::tpoff},
                         {R_X86_64_PC64, RelocKind::pc64},
                         {R_X86_64_SIZE32, RelocKind::size32},
                         {R_X86_64_SIZE64, RelocKind::size64},
                         {R_X86_64_TLSDESC, RelocKind::tlsdesc},
                         {R_X86_64_IRELATIVE, RelocKind::irelative},
                         {R_X86_64_RELATIVE64, RelocKind::relative}});
  compare_table<Aarch64>({{R_AARCH64_NONE, RelocKind::none},
                          {R_AARCH64_ABS64, RelocKind::symbolic},
                          {R_AARCH64_COPY, RelocKind::copy},
                          {R_AARCH64_GLOB_DAT, RelocKind::glob_dat},
                          {R_AARCH64_JUMP_SLOT, RelocKind::jump_slot},
                          {R_AARCH64_RELATIVE, RelocKind::relative},
                          {R_AARCH64_TLS_DTPMOD, RelocKind::dtpmod},
                          {R_AARCH64_TLS_DTPREL, RelocKind::dtpoff},
                          {R_AARCH64_TLS_TPREL, RelocKind::tpoff},
                          {R_AARCH64_TLSDESC, RelocKind::tlsdesc},
                          {R_AARCH64_IRELATIVE, RelocKind::irelative}});
  constexpr std::uint32_t kRiscvTlsdesc = 12;  // not in every <elf.h>
  compare_table<Riscv64>({{R_RISCV_NONE, RelocKind::none},
                          {R_RISCV_32, RelocKind::abs32},
                          {R_RISCV_64, RelocKind::symbolic},
                          {R_RISCV_RELATIVE, RelocKind::relative},
                          {R_RISCV_COPY, RelocKind::copy},
                          {R_RISCV_JUMP_SLOT, RelocKind::jump_slot},
                          {R_RISCV_TLS_DTPMOD64, RelocKind::dtpmod},
                          {R_RISCV_TLS_DTPREL64, RelocKind::dtpoff},
                          {R_RISCV_TLS_TPREL64, RelocKind::tpoff},
                          {kRiscvTlsdesc, RelocKind::tlsdesc},
                          {R_RISCV_IRELATIVE, RelocKind::irelative}});
  CHECK(X86_64::kMachine == EM_X86_64);
  CHECK(Aarch64::kMachine == EM_AARCH64);
  CHECK(Riscv64::kMachine == EM_RISCV);
}

// ---- what is stored ----------------------------------------------------------------------------

// <bits/link.h> of each ISA: La_aarch64_regs, La_riscv_regs, La_x86_64_regs.
TEST_CASE("an audited call's return address is found in its registers", "[relocation]") {
  struct {
    std::uint64_t xreg[9], padding, vreg[8][2], sp, lr;
  } aarch64{};
  aarch64.lr = 1;
  CHECK(Aarch64::return_address(&aarch64) == 1);
  struct {
    std::uint64_t reg[8];
    double fpreg[8];
    std::uint64_t ra, sp;
  } riscv64{};
  riscv64.ra = 2;
  CHECK(Riscv64::return_address(&riscv64) == 2);
  std::uint64_t stack = 3;
  struct {
    std::uint64_t rdx, r8, r9, rcx, rsi, rdi, rbp, rsp;
  } x86_64{};
  x86_64.rsp = reinterpret_cast<std::uintptr_t>(&stack);
  CHECK(X86_64::return_address(&x86_64) == 3);
}

TEMPLATE_TEST_CASE("relative words", "[relocation]", X86_64, Aarch64, Riscv64, Exemplar) {
  Scene s;
  std::uint64_t B = s.user.bias();
  s.add<TestType>(RelocKind::relative, kData, 0, 0x1234);
  s.add<TestType>(RelocKind::relative, kData + 12, 0, -8);  // an odd place
  s.user.module.image.relative_count = 1;
  // An address, then a bitmap whose bits 0 and 2 stand for the first and third word behind it.
  s.user.set(kData + 0x100, 1);
  s.user.set(kData + 0x108, 2);
  s.user.set(kData + 0x110, 3);
  s.user.set(kData + 0x118, 4);
  s.user.relr = {kData + 0x100, (0b101 << 1) | 1};
  REQUIRE(s.run<TestType>().ok());
  CHECK(s.errors.empty());
  CHECK(s.user.word(kData) == B + 0x1234);
  CHECK(s.user.word(kData + 12) == B - 8);
  CHECK(s.user.word(kData + 0x100) == B + 1);
  CHECK(s.user.word(kData + 0x108) == B + 2);
  CHECK(s.user.word(kData + 0x110) == 3);
  CHECK(s.user.word(kData + 0x118) == B + 4);
}

TEMPLATE_TEST_CASE(
    "places that are not aligned", "[relocation]", X86_64, Aarch64, Riscv64, Exemplar) {
  Scene s;
  std::uint64_t B = s.user.bias();
  std::uint32_t function = s.user.symbol("function", SHN_UNDEF, 0, STT_FUNC);
  s.provider.symbol("function", 1, kText + 0x40, STT_FUNC);
  s.user.set(kData + 0x102, 1);
  s.user.set(kData + 0x10a, 2);
  s.user.relr = {kData + 0x102, 0b11};
  // A slot that no single store could change is bound at once, in a lazily bound module too.
  s.user.jmprel.push_back(entry(kGot + 4, number_of<TestType>(RelocKind::jump_slot), function, 0));
  s.user.module.lazy = true;
  REQUIRE(s.run<TestType>().ok());
  CHECK(s.user.word(kData + 0x102) == B + 1);
  CHECK(s.user.word(kData + 0x10a) == B + 2);
  CHECK(s.user.word(kGot + 4) == s.provider.bias() + kText + 0x40);
}

TEMPLATE_TEST_CASE("words with a symbol", "[relocation]", X86_64, Aarch64, Riscv64, Exemplar) {
  Scene s;
  std::uint32_t data = s.user.symbol("data", SHN_UNDEF, 0);
  std::uint32_t function = s.user.symbol("function", SHN_UNDEF, 0, STT_FUNC);
  s.provider.symbol("data", 1, kData + 0x20);
  s.provider.symbol("function", 1, kText + 0x40, STT_FUNC);
  std::uint64_t S = s.provider.bias() + kData + 0x20, F = s.provider.bias() + 0x40;
  s.add<TestType>(RelocKind::symbolic, kData, data, 8);
  bool got = s.add<TestType>(RelocKind::glob_dat, kData + 0x10, data, 4);
  s.user.jmprel.push_back(
      entry(kData + 0x18, number_of<TestType>(RelocKind::jump_slot), function, 2));
  s.add<TestType>(RelocKind::symbolic, kData + 0x20, 0, 0x30);  // symbol 0: the module itself
  REQUIRE(s.run<TestType>().ok());
  CHECK(s.errors.empty());
  CHECK(s.user.word(kData) == S + 8);
  constexpr bool kAddend = Facts<TestType>::got_has_addend;
  if (got) CHECK(s.user.word(kData + 0x10) == S + (kAddend ? 4 : 0));
  CHECK(got != std::is_same_v<TestType, Riscv64>);
  CHECK(s.user.word(kData + 0x18) == F + (kAddend ? 2 : 0));
  CHECK(s.user.word(kData + 0x20) == s.user.bias() + 0x30);
}

TEMPLATE_TEST_CASE("undefined symbols", "[relocation]", X86_64, Aarch64, Riscv64, Exemplar) {
  Scene s;
  std::uint32_t weak = s.user.symbol("weak", SHN_UNDEF, 0, STT_NOTYPE, STB_WEAK);
  std::uint32_t strong = s.user.symbol("strong", SHN_UNDEF, 0);
  s.user.set(kData, 99);
  s.user.set(kData + 8, 99);
  s.add<TestType>(RelocKind::symbolic, kData, weak, 0);
  s.add<TestType>(RelocKind::symbolic, kData + 8, strong, 0);
  s.add<TestType>(RelocKind::relative, kData + 16, 0, 5);  // what follows an error is still done
  REQUIRE(s.run<TestType>().ok());
  CHECK(s.user.word(kData) == 0);
  CHECK(s.user.word(kData + 8) == 99);
  CHECK(s.user.word(kData + 16) == s.user.bias() + 5);
  REQUIRE(s.errors.size() == 1);
  CHECK(s.errors[0].code == Code::undefined_symbol);
  CHECK(std::string(s.errors[0].subject) == "strong");
  CHECK(std::string(s.errors[0].object) == "user.so");
}

TEMPLATE_TEST_CASE("copied data", "[relocation]", X86_64, Aarch64, Riscv64, Exemplar) {
  Scene s;
  s.user.module.is_program = true;
  std::uint32_t data = s.user.symbol("data", 1, kData + 0x40, STT_OBJECT, STB_GLOBAL, 16);
  s.provider.symbol("data", 1, kData + 0x80, STT_OBJECT, STB_GLOBAL, 16);
  s.provider.set(kData + 0x80, 0x1111);
  s.provider.set(kData + 0x88, 0x2222);
  s.provider.set(kData + 0x90, 0x3333);
  s.add<TestType>(RelocKind::copy, kData + 0x40, data, 0);
  REQUIRE(s.run<TestType>().ok());
  CHECK(s.errors.empty());
  CHECK(s.user.word(kData + 0x40) == 0x1111);
  CHECK(s.user.word(kData + 0x48) == 0x2222);
  CHECK(s.user.word(kData + 0x50) == 0);
}

std::uintptr_t resolver_of_forty_two() { return 42; }

TEMPLATE_TEST_CASE("indirect functions", "[relocation]", X86_64, Aarch64, Riscv64, Exemplar) {
  Scene s;
  std::uint64_t at = reinterpret_cast<std::uintptr_t>(&resolver_of_forty_two) - s.user.bias();
  s.user.phdrs.push_back({.p_type = PT_LOAD,
                          .p_flags = PF_R | PF_X,
                          .p_offset = 0,
                          .p_vaddr = at,
                          .p_paddr = 0,
                          .p_filesz = 16,
                          .p_memsz = 16,
                          .p_align = 1});
  s.add<TestType>(RelocKind::irelative, kData, 0, static_cast<std::int64_t>(at));
  REQUIRE(s.run<TestType>().ok());
  CHECK(s.user.word(kData) == 42);
  // A resolver outside the code is not called.
  s.user.rela[0].r_addend = kData;
  Status status = s.run<TestType>();
  CHECK((status.ok() ? Code::none : status.error().code) == Code::bad_code_address);
}

TEMPLATE_TEST_CASE("thread-local words", "[relocation]", X86_64, Aarch64, Riscv64, Exemplar) {
  Scene s;
  s.give_provider_tls(true);
  std::uint32_t variable = s.user.symbol("variable", SHN_UNDEF, 0, STT_TLS);
  std::uint32_t weak = s.user.symbol("weak", SHN_UNDEF, 0, STT_TLS, STB_WEAK);
  s.provider.symbol("variable", 1, 0x10, STT_TLS);
  s.add<TestType>(RelocKind::dtpmod, kData, variable, 0);
  s.add<TestType>(RelocKind::dtpoff, kData + 8, variable, 4);
  s.add<TestType>(RelocKind::tpoff, kData + 16, variable, 4);
  s.add<TestType>(RelocKind::tlsdesc, kData + 32, variable, 4);
  s.add<TestType>(RelocKind::tlsdesc, kData + 48, weak, 3);
  REQUIRE(s.run<TestType>().ok());
  CHECK(s.errors.empty());
  CHECK(s.user.word(kData) == 7);
  CHECK(s.user.word(kData + 8) == 0x10 + 4 - Facts<TestType>::dtv_offset);
  CHECK(s.user.word(kData + 16) == 0x5000 + 0x10 + 4);
  CHECK(s.user.word(kData + 32) == reinterpret_cast<std::uintptr_t>(&myld_tlsdesc_static));
  CHECK(s.user.word(kData + 40) == 0x5000 + 0x10 + 4);
  CHECK(s.user.word(kData + 48) == reinterpret_cast<std::uintptr_t>(&myld_tlsdesc_undefined));
  CHECK(s.user.word(kData + 56) == 3);
}

TEMPLATE_TEST_CASE("descriptors of a module that was opened late",
                   "[relocation]",
                   X86_64,
                   Aarch64,
                   Riscv64,
                   Exemplar) {
  Scene s;
  s.give_provider_tls(false);
  std::uint32_t variable = s.user.symbol("variable", SHN_UNDEF, 0, STT_TLS);
  s.provider.symbol("variable", 1, 0x10, STT_TLS);
  s.add<TestType>(RelocKind::tlsdesc, kData, variable, 4);
  REQUIRE(s.run<TestType>().ok());
  CHECK(s.user.word(kData) == reinterpret_cast<std::uintptr_t>(&myld_tlsdesc_dynamic));
  auto* index = reinterpret_cast<const tls::TlsIndex*>(s.user.word(kData + 8));
  CHECK(index->module == 7);
  CHECK(index->offset == 0x14);  // never less TLS_DTV_OFFSET: that is __tls_get_addr's
}

TEMPLATE_TEST_CASE(
    "narrow and relative-to-place words", "[relocation]", X86_64, Aarch64, Riscv64, Exemplar) {
  Scene s;
  std::uint32_t absolute = s.user.symbol("absolute", SHN_UNDEF, 0);
  std::uint32_t near = s.user.symbol("near", 1, kData + 0x200, STT_OBJECT, STB_GLOBAL, 24);
  std::uint32_t far = s.user.symbol("far", SHN_UNDEF, 0);
  s.provider.symbol("absolute", SHN_ABS, 0x12345678);
  s.provider.symbol("far", SHN_ABS, 0x123456789a);
  s.user.set(kData, ~std::uint64_t{0});
  std::uint64_t P = s.user.bias() + kData;
  std::uint64_t S = s.user.bias() + kData + 0x200;
  bool has32 = s.add<TestType>(RelocKind::abs32, kData, absolute, 1);
  bool has_pc = s.add<TestType>(RelocKind::pc32, kData + 8, near, -4);
  if (has_pc) s.add<TestType>(RelocKind::pc64, kData + 16, near, -4);
  bool has_size = s.add<TestType>(RelocKind::size32, kData + 24, near, 1);
  if (has_size) s.add<TestType>(RelocKind::size64, kData + 32, near, 1);
  if (has32) s.add<TestType>(RelocKind::abs32, kData + 40, far, 0);
  REQUIRE(s.run<TestType>().ok());
  if (has32) {
    CHECK(s.user.get<std::uint32_t>(kData) == 0x12345679);
    CHECK(s.user.get<std::uint32_t>(kData + 4) == 0xffffffff);  // no more than four bytes
    REQUIRE(s.errors.size() == 1);
    CHECK(s.errors[0].code == Code::relocation_overflow);
    CHECK(s.user.word(kData + 40) == 0);
  } else {
    CHECK(s.errors.empty());
  }
  if (has_pc) {
    CHECK(s.user.get<std::uint32_t>(kData + 8) == static_cast<std::uint32_t>(S - 4 - (P + 8)));
    CHECK(s.user.word(kData + 16) == S - 4 - (P + 16));
  }
  if (has_size) {
    CHECK(s.user.get<std::uint32_t>(kData + 24) == 25);
    CHECK(s.user.word(kData + 32) == 25);
  }
  constexpr bool kX86 = std::is_same_v<TestType, X86_64>, kArm = std::is_same_v<TestType, Aarch64>;
  constexpr bool kInvented = std::is_same_v<TestType, Exemplar>;
  CHECK(has32 == !kArm);
  CHECK(has_pc == (kX86 || kInvented));
  CHECK(has_size == (kX86 || kInvented));
}

// ---- lazy binding ------------------------------------------------------------------------------

template <class P>
struct LazyScene : Scene {
  std::uint64_t slot(std::uint64_t n) const { return kGot + (P::kGotPlt.reserved + n) * 8; }

  LazyScene() {
    user.module.lazy = true;
    user.module.image.got_plt = reinterpret_cast<std::uintptr_t*>(user.memory.data() + kGot);
    std::uint32_t type = number_of<P>(RelocKind::jump_slot);
    std::uint32_t plain = user.symbol("plain", SHN_UNDEF, 0, STT_FUNC);
    std::uint32_t variant = user.symbol("variant", SHN_UNDEF, 0, STT_FUNC, STB_GLOBAL, 0,
                                        Facts<P>::bind_now_mask & 0xff);
    provider.symbol("plain", 1, 0x40, STT_FUNC);
    provider.symbol("variant", 1, 0x80, STT_FUNC);
    for (std::uint64_t n = 0; n < 3; ++n)
      user.jmprel.push_back(entry(slot(n), type, n == 1 ? variant : plain, 0));
    // What the linker leaves there: the link address of the PLT's code.
    for (std::uint64_t n = 0; n < 3; ++n) user.set(slot(n), 0x100 + n);
  }
};

TEMPLATE_TEST_CASE(
    "slots that are bound later", "[relocation]", X86_64, Aarch64, Riscv64, Exemplar) {
  LazyScene<TestType> s;
  REQUIRE(s.template run<TestType>().ok());
  CHECK(s.errors.empty());
  CHECK(s.user.module.lazy);
  CHECK(s.user.word(s.slot(0)) == s.user.bias() + 0x100);
  CHECK(s.user.word(s.slot(2)) == s.user.bias() + 0x102);
  bool bound_now = Facts<TestType>::bind_now_mask != 0;
  CHECK(s.user.word(s.slot(1)) == (bound_now ? s.provider.bias() + 0x80 : s.user.bias() + 0x101));
  // The words for the trampoline, where each psABI's PLT header reads them.
  auto module = reinterpret_cast<std::uintptr_t>(&s.user.module);
  auto trampoline = reinterpret_cast<std::uintptr_t>(&myld_plt_trampoline);
  if (std::is_same_v<TestType, Riscv64>) {
    CHECK(s.user.word(kGot) == trampoline);
    CHECK(s.user.word(kGot + 8) == module);
  } else if (std::is_same_v<TestType, Exemplar>) {
    CHECK(s.user.word(kGot) == trampoline);
    CHECK(s.user.word(kGot + 16) == module);
  } else {
    CHECK(s.user.word(kGot + 8) == module);
    CHECK(s.user.word(kGot + 16) == trampoline);
  }
}

TEMPLATE_TEST_CASE("slots in another order than their relocations",
                   "[relocation]",
                   X86_64,
                   Aarch64,
                   Riscv64,
                   Exemplar) {
  LazyScene<TestType> s;
  std::swap(s.user.jmprel[0], s.user.jmprel[2]);
  REQUIRE(s.template run<TestType>().ok());
  // x86-64's PLT pushes the relocation's index; the others' say the slot, so it would be misread.
  if (std::is_same_v<TestType, X86_64>) {
    CHECK(s.user.module.lazy);
    CHECK(s.user.word(s.slot(0)) == s.user.bias() + 0x100);
  } else {
    CHECK_FALSE(s.user.module.lazy);
    CHECK(s.user.word(s.slot(0)) == s.provider.bias() + 0x40);
    CHECK(s.user.word(s.slot(2)) == s.provider.bias() + 0x40);
  }
}

// ---- from a binding file -----------------------------------------------------------------------

/// A module with relocations of many kinds, in no order, to symbols of both modules and of none.
void fill(Scene& s, std::mt19937& random) {
  using P = arch::Port;
  auto below = [&](std::uint32_t n) { return static_cast<std::uint32_t>(random() % n); };
  const std::array<const char*, 6> names = {"a", "b", "c", "tls", "abs", "nobody"};
  s.give_provider_tls(true);
  for (const char* name : names) {
    bool tls = name[0] == 't', absolute = name[1] == 'b', nobody = name[0] == 'n';
    unsigned type = tls ? STT_TLS : STT_OBJECT;
    unsigned binding = below(5) == 0 ? STB_GNU_UNIQUE : below(3) == 0 ? STB_WEAK : STB_GLOBAL;
    if (!nobody && below(6) != 0)
      s.provider.symbol(name, absolute ? SHN_ABS : 3, tls ? 0x10 : 0x100 + below(100), type,
                        tls ? STB_GLOBAL : binding, 8);
    bool defined = !tls && !nobody && below(3) == 0;
    static constexpr std::array<std::uint8_t, 4> kVisibilities = {STV_DEFAULT, STV_DEFAULT,
                                                                  STV_PROTECTED, STV_HIDDEN};
    s.user.symbol(name, defined ? 3 : SHN_UNDEF, defined ? 0x200 + below(100) : 0, type,
                  below(4) == 0 && !nobody ? STB_GLOBAL : STB_WEAK, 8,
                  defined ? kVisibilities[below(4)] : 0);
  }
  constexpr std::array<RelocKind, 12> kKinds = {
      RelocKind::symbolic, RelocKind::symbolic, RelocKind::glob_dat, RelocKind::glob_dat,
      RelocKind::relative, RelocKind::tpoff,    RelocKind::dtpmod,   RelocKind::dtpoff,
      RelocKind::size64,   RelocKind::copy,     RelocKind::symbolic, RelocKind::none};
  for (std::uint32_t i = 0; i < 40; ++i) {
    RelocKind kind = kKinds[below(12)];
    bool tls = kind == RelocKind::tpoff || kind == RelocKind::dtpmod || kind == RelocKind::dtpoff;
    bool none = kind == RelocKind::relative || kind == RelocKind::none;
    std::uint32_t symbol = none ? 0 : tls ? 4 : below(7);
    if (!tls && symbol == 4) symbol = 1;
    std::int64_t addend = below(4) == 0 ? -8 : below(0x100);
    s.add<P>(kind, kData + 16 * ((i * 7) % 40), symbol, tls ? 0 : addend);
  }
  for (std::uint32_t i = 0; i < 8; ++i)
    s.user.jmprel.push_back(entry(kGot + 24 + 8 * i, number_of<P>(RelocKind::jump_slot),
                                  std::array{1u, 2u, 3u, 6u}[below(4)], 0));
}

TEST_CASE("slots of a binding file store what look-ups store", "[relocation]") {
  std::size_t addresses = 0, others = 0, compared = 0;
  for (std::uint32_t seed = 1; seed <= 2000; ++seed) {
    std::mt19937 random(seed);
    auto s = std::make_unique<Scene>();
    fill(*s, random);
    s->user.module.from_start = s->provider.module.from_start = true;
    const auto before = s->user.memory;
    load::Module loader;
    load::Namespace ns;
    binding::Numbers numbers(ns, &s->user.module, &loader);
    REQUIRE(ns.modules.push(&s->provider.module));
    s->user.finish({&s->user.module, &s->provider.module});
    s->provider.finish({&s->provider.module});
    s->user.module.ns = s->provider.module.ns = &ns;
    // The slots are found before anything is relocated, by look-ups that leave no trace.
    binding::Finder finder{[](const void*, load::Module& m, std::uint32_t i, scope::Purpose p) {
                             return scope::look_up(m, m.image.symbols[i], i, p);
                           },
                           nullptr};
    Vec<binding::Slot> slots;
    binding::SlotCounts counts;
    Status made = binding::append_slots(s->user.module, numbers, finder, false, slots, counts);
    REQUIRE(ns.unique.size() == 0);
    Status plain = s->run<arch::Port>();
    s->user.module.ns = s->provider.module.ns = &ns;
    CAPTURE(seed);
    bool failed = !plain.ok() || !s->errors.empty();
    if (!made.ok()) {
      CHECK((failed || made.error().code == Code::cannot_bind));
      continue;
    }
    const auto right = s->user.memory;
    auto wrong = s->errors.size();
    s->user.memory = before;
    s->errors.clear();
    load::Module* modules[] = {&s->user.module, &loader, &s->provider.module};
    std::uint64_t biases[] = {s->user.bias(), 0, s->provider.bias(), 0};
    relocate::BoundSlots bound{slots.span().first(counts.addresses),
                               slots.span().subspan(counts.addresses), modules, biases};
    relocate::FoundReferences found{nullptr, 0, &bound};
    load::ErrorSink sink{[](void* context, const Error& e) {
                           static_cast<std::vector<Error>*>(context)->push_back(e);
                           return true;
                         },
                         &s->errors};
    relocate::Relocator<arch::Port> relocator(s->runtime, s->user.module, sink, &found);
    REQUIRE(relocator.run().ok());
    REQUIRE(relocator.finish().ok());
    CHECK(s->errors.size() == wrong);
    CHECK(std::memcmp(s->user.memory.data(), right.data(), right.size()) == 0);
    addresses += counts.addresses;
    others += counts.others;
    ++compared;
  }
  CHECK(compared > 1000);
  CHECK(addresses > 10 * compared);
  CHECK(others > 5 * compared);
}

// ---- what is refused ---------------------------------------------------------------------------

TEMPLATE_TEST_CASE("what no psABI allows", "[relocation]", X86_64, Aarch64, Riscv64, Exemplar) {
  Scene s;
  SECTION("a number that the psABI does not have") {
    s.user.rela.push_back(entry(kData, 1999, 0, 0));
    REQUIRE(s.run<TestType>().ok());
    REQUIRE(s.errors.size() == 1);
    CHECK(s.errors[0].code == Code::bad_relocation_type);
    CHECK(s.errors[0].value == 1999);
    CHECK(s.errors[0].at == kData);
  }
  SECTION("a place that is not in a writable segment") {
    std::uint64_t at = GENERATE(std::uint64_t{kText}, kData - 4, kEnd - 4, kEnd, ~std::uint64_t{7});
    CAPTURE(at);
    s.add<TestType>(RelocKind::relative, at, 0, 0);
    REQUIRE(s.run<TestType>().ok());
    REQUIRE(s.errors.size() == 1);
    CHECK(s.errors[0].code == Code::bad_relocation_offset);
    CHECK(s.errors[0].at == at);
  }
  SECTION("a symbol that is not there") {
    s.add<TestType>(RelocKind::symbolic, kData, 77, 0);
    REQUIRE(s.run<TestType>().ok());
    REQUIRE(s.errors.size() == 1);
    CHECK(s.errors[0].code == Code::bad_relocation_symbol);
  }
  SECTION("a thread-local reference to what is not") {
    std::uint32_t data = s.user.symbol("data", SHN_UNDEF, 0);
    s.provider.symbol("data", 1, kData);
    s.add<TestType>(RelocKind::tpoff, kData, data, 0);
    REQUIRE(s.run<TestType>().ok());
    REQUIRE(s.errors.size() == 1);
    CHECK(s.errors[0].code == Code::bad_relocation_symbol);
  }
}

}  // namespace
