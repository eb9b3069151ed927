#include "tests/fuzz/elf_builder.hpp"

#include "arch/exemplar/traits.hpp"
#include "arch/machines.hpp"
#include "loader/elf/layout.hpp"
#include "rtld/scope/lookup.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace myld::fuzz {
namespace {

using arch::RelocKind;
constexpr std::uint64_t kPage = 4096;

/// A part of the file that grows; its address is known once it is begun.
class Part {
public:
  explicit Part(std::uint64_t address) : address_(address) {}
  std::uint64_t here() const { return address_ + bytes_.size(); }
  void align(std::size_t n) {
    while (bytes_.size() % n != 0) bytes_.push_back(0);
  }
  std::uint64_t put(const void* from, std::size_t n) {
    std::uint64_t at = here();
    const auto* p = static_cast<const std::uint8_t*>(from);
    bytes_.insert(bytes_.end(), p, p + n);
    return at;
  }
  template <class T>
  std::uint64_t put(const std::vector<T>& all) {
    align(8);
    return put(all.data(), all.size() * sizeof(T));
  }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

private:
  std::uint64_t address_;
  std::vector<std::uint8_t> bytes_;
};

template <class P>
std::uint32_t number_of(RelocKind kind) {
  for (std::uint32_t n = 1; n < 2048; ++n)
    if (P::reloc_kind(n) == kind) return n;
  return 0;
}

std::uint32_t number_of(std::uint16_t machine, RelocKind kind) {
  switch (machine) {
  case EM_X86_64: return number_of<arch::X86_64>(kind);
  case EM_AARCH64: return number_of<arch::Aarch64>(kind);
  case EM_RISCV: return number_of<arch::Riscv64>(kind);
  default: return number_of<arch::Exemplar>(kind);
  }
}

struct Builder {
  explicit Builder(Random& random) : r(random) {}

  Random& r;
  std::uint16_t machine = EM_X86_64;
  std::string strings = std::string(1, '\0');
  std::vector<elf::Sym> symbols = std::vector<elf::Sym>(1);
  std::vector<std::uint16_t> versym = {0};
  std::vector<elf::Dyn> dynamic;
  std::vector<elf::Phdr> phdrs;
  std::uint32_t first_defined = 1;
  // The read-only part begins behind the headers, which are reserved at their largest.
  static constexpr std::size_t kHeaders = sizeof(elf::Ehdr) + 10 * sizeof(elf::Phdr);
  static constexpr std::uint64_t kData = 2 * kPage, kDataBytes = 0x300;
  static constexpr std::uint64_t kGot = kData + 0x100, kWords = kData + 0x180;
  Part text{kHeaders};

  std::uint32_t string(const std::string& s) {
    auto at = static_cast<std::uint32_t>(strings.size());
    strings += s;
    strings += '\0';
    return at;
  }
  void tag(std::int64_t t, std::uint64_t value) { dynamic.push_back({t, {value}}); }
  bool one_in(std::uint32_t n) { return below(r, n) == 0; }

  void make_symbols();
  void put_gnu_hash();
  void put_sysv_hash();
  void put_versions();
  void put_relocations();
  void put_notes();
  std::vector<std::uint8_t> file();
};

void Builder::make_symbols() {
  static constexpr const char* kUndefined[] = {"data", "function", "tls", "unique", "missing"};
  static constexpr unsigned kTypes[] = {STT_OBJECT, STT_FUNC, STT_TLS, STT_NOTYPE};
  for (std::uint32_t n = below(r, 5); n > 0; --n) {
    std::uint32_t which = below(r, 5);
    unsigned binding = one_in(3) ? STB_WEAK : STB_GLOBAL;
    symbols.push_back({string(kUndefined[which]),
                       static_cast<unsigned char>(binding << 4 | kTypes[which % 4]), 0, SHN_UNDEF,
                       0, 8});
    versym.push_back(static_cast<std::uint16_t>(one_in(2) ? 1 : 3));
  }
  first_defined = static_cast<std::uint32_t>(symbols.size());
  for (std::uint32_t n = below(r, 8); n > 0; --n) {
    unsigned type = kTypes[below(r, 4)];
    std::uint64_t value = type == STT_FUNC ? text.here() : type == STT_TLS ? 8 : kWords;
    symbols.push_back({string("s" + std::to_string(below(r, 30))),
                       static_cast<unsigned char>(STB_GLOBAL << 4 | type), 0, 5, value, 8});
    versym.push_back(static_cast<std::uint16_t>(one_in(2) ? 1 : 2));
  }
}

void Builder::put_gnu_hash() {
  auto end = static_cast<std::uint32_t>(symbols.size());
  std::uint32_t buckets = 1 + below(r, 4);
  auto hash = [&](const elf::Sym& s) { return scope::gnu_hash(strings.data() + s.st_name); };
  std::stable_sort(symbols.begin() + first_defined, symbols.end(),
                   [&](auto& a, auto& b) { return hash(a) % buckets < hash(b) % buckets; });
  std::vector<std::uint32_t> words = {buckets, first_defined, 1, 6, 0, 0};
  std::vector<std::uint32_t> heads(buckets), chain;
  std::uint64_t bloom = 0;
  for (std::uint32_t i = first_defined; i < end; ++i) {
    std::uint32_t h = hash(symbols[i]);
    bloom |= std::uint64_t{1} << h % 64 | std::uint64_t{1} << (h >> 6) % 64;
    if (heads[h % buckets] == 0) heads[h % buckets] = i;
    bool last = i + 1 == end || hash(symbols[i + 1]) % buckets != h % buckets;
    chain.push_back((h & ~1u) | (last ? 1 : 0));
  }
  std::memcpy(&words[4], &bloom, sizeof bloom);
  words.insert(words.end(), heads.begin(), heads.end());
  words.insert(words.end(), chain.begin(), chain.end());
  tag(DT_GNU_HASH, text.put(words));
}

void Builder::put_sysv_hash() {
  auto end = static_cast<std::uint32_t>(symbols.size());
  std::vector<std::uint32_t> words = {2, end, 0, 0};
  words.resize(4 + end);
  for (std::uint32_t i = 1; i < end; ++i) {
    std::uint32_t& bucket = words[2 + scope::sysv_hash(strings.data() + symbols[i].st_name) % 2];
    words[4 + i] = bucket;
    bucket = i;
  }
  tag(DT_HASH, text.put(words));
}

void Builder::put_versions() {
  struct {
    elf::Verdef base{1, VER_FLG_BASE, 1, 1, 0, sizeof(elf::Verdef), 28};
    elf::Verdaux base_name{1, 0};
    elf::Verdef def{1, 0, 2, 1, 0, sizeof(elf::Verdef), 0};
    elf::Verdaux name{};
  } defs;
  static_assert(sizeof defs == 2 * 28);
  defs.name.vda_name = string("V_2");
  defs.def.vd_hash = scope::sysv_hash("V_2");
  struct {
    elf::Verneed need{1, 1, 0, sizeof(elf::Verneed), 0};
    elf::Vernaux name{scope::sysv_hash("V_3"), VER_FLG_WEAK, 3, 0, 0};
  } needs;
  needs.need.vn_file = string("libn.so");
  needs.name.vna_name = string("V_3");
  text.align(8);
  tag(DT_VERDEF, text.put(&defs, sizeof defs));
  tag(DT_VERDEFNUM, 2);
  text.align(8);
  tag(DT_VERNEED, text.put(&needs, sizeof needs));
  tag(DT_VERNEEDNUM, 1);
  tag(DT_VERSYM, text.put(versym));
}

void Builder::put_relocations() {
  static constexpr RelocKind kKinds[] = {
      RelocKind::relative, RelocKind::symbolic, RelocKind::glob_dat, RelocKind::copy,
      RelocKind::dtpmod,   RelocKind::dtpoff,   RelocKind::tpoff,    RelocKind::tlsdesc,
      RelocKind::abs32,    RelocKind::pc32,     RelocKind::pc64,     RelocKind::size32,
      RelocKind::size64};
  std::vector<elf::Rela> rela, plt;
  std::uint64_t relative = below(r, 3), at = kWords;
  auto add = [&](RelocKind kind, std::uint32_t symbol) {
    if (std::uint32_t type = number_of(machine, kind); type != 0)
      rela.push_back({at, std::uint64_t{symbol} << 32 | type, 0x10});
    at += 16;
  };
  for (std::uint64_t i = 0; i < relative; ++i) add(RelocKind::relative, 0);
  auto count = static_cast<std::uint32_t>(symbols.size());
  for (std::uint32_t n = below(r, 7); n > 0; --n)
    add(kKinds[below(r, std::size(kKinds))], below(r, count));
  at = kGot + 24;
  for (std::uint32_t n = below(r, 4); n > 0; --n, at += 8)
    plt.push_back(
        {at, std::uint64_t{below(r, count)} << 32 | number_of(machine, RelocKind::jump_slot), 0});
  if (!rela.empty()) {
    tag(DT_RELA, text.put(rela));
    tag(DT_RELASZ, rela.size() * sizeof(elf::Rela));
    tag(DT_RELAENT, sizeof(elf::Rela));
    tag(DT_RELACOUNT, relative);
  }
  if (!plt.empty()) {
    tag(DT_JMPREL, text.put(plt));
    tag(DT_PLTRELSZ, plt.size() * sizeof(elf::Rela));
    tag(DT_PLTREL, DT_RELA);
    tag(DT_PLTGOT, kGot);
  }
  if (one_in(2)) {
    std::vector<elf::Relr> relr = {kWords + 0x40, 0b10101};
    tag(DT_RELR, text.put(relr));
    tag(DT_RELRSZ, relr.size() * sizeof(elf::Relr));
    tag(DT_RELRENT, sizeof(elf::Relr));
  }
}

void Builder::put_notes() {
  auto note = [&](std::uint32_t type, const char* owner, std::vector<std::uint32_t> words,
                  std::uint32_t segment, std::uint64_t align) {
    auto n = static_cast<std::uint32_t>(std::strlen(owner) + 1);
    elf::Nhdr header{n, static_cast<std::uint32_t>(words.size() * 4), type};
    text.align(8);
    std::uint64_t begin = text.put(&header, sizeof header);
    text.put(owner, n);
    text.align(align);
    text.put(words.data(), words.size() * 4);
    phdrs.push_back(
        {segment, PF_R, begin, begin, begin, text.here() - begin, text.here() - begin, align});
  };
  if (one_in(2)) note(3, "GNU", {1, 2, 3, 4, 5}, PT_NOTE, 4);
  if (one_in(4)) note(0x63a86cb6, "NixOS", {0x61, 0}, PT_NOTE, 4);
  if (one_in(2)) note(5, "GNU", {0xc0000002, 4, 3, 0}, PT_GNU_PROPERTY, 8);
}

std::vector<std::uint8_t> Builder::file() {
  static constexpr std::uint16_t kMachines[] = {EM_X86_64, EM_X86_64, EM_AARCH64, EM_RISCV, 0xffee};
  machine = kMachines[below(r, 5)];
  text.put("\x90\xc3\x90\xc3\x90\xc3\x90", 8);  // a function
  make_symbols();
  bool gnu = !one_in(4), versions = !one_in(3);
  if (gnu) put_gnu_hash();
  if (!gnu || one_in(3)) put_sysv_hash();
  if (versions) put_versions();
  put_relocations();
  put_notes();
  tag(DT_SONAME, string("libfuzz.so"));
  if (one_in(2)) tag(DT_NEEDED, string("$ORIGIN/libn.so"));
  if (one_in(3)) tag(DT_RUNPATH, string("$ORIGIN/../$LIB:/x"));
  if (one_in(2)) tag(DT_INIT, kHeaders);
  if (one_in(2)) {
    tag(DT_INIT_ARRAY, kWords);
    tag(DT_INIT_ARRAYSZ, 16);
  }
  if (one_in(3)) tag(DT_FLAGS_1, 1u << below(r, 28));
  if (one_in(4)) tag(DT_FLAGS, 1u << below(r, 5));
  tag(DT_SYMTAB, text.put(symbols));
  tag(DT_SYMENT, sizeof(elf::Sym));
  tag(DT_STRTAB, text.put(strings.data(), strings.size()));
  tag(DT_STRSZ, strings.size());
  tag(DT_NULL, 0);

  // Behind each other in the file; the data's address is congruent to its place.
  text.align(8);
  std::uint64_t split = kHeaders + text.bytes().size();
  std::vector<std::uint8_t> out(split + kDataBytes + dynamic.size() * sizeof(elf::Dyn));
  std::uint64_t bias = kData - round_down(split, kPage);  // of the data's addresses
  // What was said of kData's words is moved to where they are.
  std::uint64_t shift = split + bias - kData;
  auto move = [&](std::uint64_t& a) {
    if (a >= kData) a += shift;
  };
  for (elf::Dyn& d : dynamic)
    if (d.d_tag == DT_PLTGOT || d.d_tag == DT_INIT_ARRAY) move(d.d_un.d_val);
  std::memcpy(out.data() + kHeaders, text.bytes().data(), text.bytes().size());
  auto place = [&](std::int64_t wanted) -> elf::Dyn* {
    for (elf::Dyn& d : dynamic)
      if (d.d_tag == wanted) return &d;
    return nullptr;
  };
  auto each = [&]<class T>(std::int64_t table, std::uint64_t bytes, T change) {
    if (elf::Dyn* d = place(table); d != nullptr)
      for (std::uint64_t i = 0; i + sizeof(std::uint64_t) <= bytes; i += change.stride) {
        std::uint64_t word = 0;
        std::memcpy(&word, out.data() + d->d_un.d_val + i + change.at, 8);
        move(word);
        std::memcpy(out.data() + d->d_un.d_val + i + change.at, &word, 8);
      }
  };
  struct Field {
    std::size_t stride, at;
  };
  auto size = [&](std::int64_t t) { return place(t) == nullptr ? 0 : place(t)->d_un.d_val; };
  each(DT_RELA, size(DT_RELASZ), Field{sizeof(elf::Rela), 0});
  each(DT_JMPREL, size(DT_PLTRELSZ), Field{sizeof(elf::Rela), 0});
  each(DT_RELR, size(DT_RELRSZ) / 2, Field{8, 0});
  each(DT_SYMTAB, symbols.size() * sizeof(elf::Sym), Field{sizeof(elf::Sym), 8});
  std::uint64_t data = split + bias, dyn = data + kDataBytes, end = out.size() + bias;
  std::memcpy(out.data() + split + kDataBytes, dynamic.data(), dynamic.size() * sizeof(elf::Dyn));

  std::vector<elf::Phdr> all = {
      {PT_LOAD, PF_R | PF_X, 0, 0, 0, split, split, kPage},
      {PT_LOAD, PF_R | PF_W, split, data, data, end - data, end - data + 0x80, kPage},
      {PT_DYNAMIC, PF_R | PF_W, split + kDataBytes, dyn, dyn, end - dyn, end - dyn, 8},
      {PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16},
  };
  if (one_in(2)) all.push_back({PT_TLS, PF_R, split, data, data, 0x20, 0x60, 16});
  if (one_in(2)) all.push_back({PT_GNU_RELRO, PF_R, split, data, data, end - data, end - data, 1});
  all.insert(all.end(), phdrs.begin(), phdrs.end());
  elf::Ehdr e{};
  std::memcpy(e.e_ident, "\177ELF\2\1\1", 7);
  e.e_type = ET_DYN;
  e.e_machine = machine;
  e.e_version = 1;
  e.e_phoff = sizeof e;
  e.e_ehsize = sizeof e;
  e.e_phentsize = sizeof(elf::Phdr);
  e.e_phnum = static_cast<std::uint16_t>(std::min<std::size_t>(all.size(), 10));
  std::memcpy(out.data(), &e, sizeof e);
  std::memcpy(out.data() + sizeof e, all.data(), e.e_phnum * sizeof(elf::Phdr));
  out.push_back(static_cast<std::uint8_t>(below(r, 256)));  // what the targets choose by
  return out;
}

}  // namespace

std::vector<std::uint8_t> build_elf(Random& random) { return Builder(random).file(); }

}  // namespace myld::fuzz
