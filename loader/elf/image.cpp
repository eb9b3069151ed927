#include "loader/elf/image.hpp"

#include "arch/port.hpp"
#include "loader/base/mem.hpp"

namespace myld::elf {
namespace {

/// The tags that have a slot in the table of values below DT_NUM, and a few far ones.
struct Tags {
  static constexpr std::size_t kNear = 38;  // up to DT_RELRENT
  std::uint64_t near[kNear] = {};
  std::uint64_t present = 0;
  std::uint64_t gnu_hash = 0, versym = 0, verneed = 0, verneednum = 0, verdef = 0, verdefnum = 0,
                flags_1 = 0, relacount = 0;
  bool has_gnu_hash = false, has_versym = false, has_verneed = false, has_verdef = false;

  bool has(std::uint64_t tag) const { return (present >> tag & 1) != 0; }
  std::uint64_t operator[](std::uint64_t tag) const { return near[tag]; }
  void add(const Dyn& d);
};

void Tags::add(const Dyn& d) {
  auto tag = static_cast<std::uint64_t>(d.d_tag);
  std::uint64_t value = d.d_un.d_val;
  if (tag < kNear) {
    near[tag] = value;
    present |= std::uint64_t{1} << tag;
    return;
  }
  switch (tag) {
  case DT_GNU_HASH:
    gnu_hash = value;
    has_gnu_hash = true;
    break;
  case DT_VERSYM:
    versym = value;
    has_versym = true;
    break;
  case DT_VERNEED:
    verneed = value;
    has_verneed = true;
    break;
  case DT_VERNEEDNUM: verneednum = value; break;
  case DT_VERDEF:
    verdef = value;
    has_verdef = true;
    break;
  case DT_VERDEFNUM: verdefnum = value; break;
  case DT_FLAGS_1: flags_1 = value; break;
  case DT_RELACOUNT: relacount = value; break;
  default: break;
  }
}

struct Reader {
  Image image;
  Tags tags;
  const char* object;
  std::uint64_t moved = 0;  ///< what was added to the addresses in the dynamic section

  [[gnu::cold, gnu::noinline]] Error bad(Code code, const char* tag, std::uint64_t value) const {
    return {.code = code, .object = object, .subject = tag, .value = value};
  }
  /// [at, at + bytes) lies in the file part of one segment and is aligned: its run address.
  template <class T>
  Result<const T*> table(const char* tag, std::uint64_t at, std::uint64_t bytes) const {
    if (at % alignof(T) != 0 || image.segments.find_in_file({at}, bytes) == nullptr)
      return bad(Code::dynamic_outside_segment, tag, at);
    return image.at<const T>({at});
  }
  template <class T>
  Result<std::span<const T>> array(const char* tag, std::uint64_t at, std::uint64_t bytes) const {
    if (bytes % sizeof(T) != 0) return bad(Code::dynamic_bad_size, tag, bytes);
    if (bytes == 0) return std::span<const T>{};
    auto* data = MYLD_TRY(table<T>(tag, at, bytes));
    return std::span<const T>{data, static_cast<std::size_t>(bytes / sizeof(T))};
  }

  Status read_tags();
  Status read_strings();
  Status read_symbols();
  Status read_gnu_hash();
  Status read_sysv_hash();
  Status read_versions();
  Status read_relocations();
  Status read_initialisers();
  Status read_flags();
};

Status Reader::read_tags() {
  const Phdr& p = *image.segments.dynamic;
  image.dynamic = image.at<Dyn>({p.p_vaddr});
  std::uint64_t limit = p.p_filesz / sizeof(Dyn);
  for (std::uint64_t i = 0; i < limit; ++i) {
    if (image.dynamic[i].d_tag == DT_NULL) {
      image.dynamic_count = static_cast<std::uint32_t>(i);
      return {};
    }
    Dyn d = image.dynamic[i];
    if (moved != 0 && is_address_tag(d.d_tag)) d.d_un.d_ptr -= moved;
    tags.add(d);
  }
  return bad(Code::dynamic_not_terminated, "PT_DYNAMIC", limit);
}

Status Reader::read_strings() {
  if (!tags.has(DT_STRTAB)) {
    if (tags.has(DT_NEEDED) || tags.has(DT_SYMTAB)) return bad(Code::no_strtab, "DT_STRTAB", 0);
    return {};
  }
  std::uint64_t size = tags[DT_STRSZ];
  if (size == 0) return bad(Code::dynamic_bad_size, "DT_STRSZ", size);
  auto* data = MYLD_TRY(table<char>("DT_STRTAB", tags[DT_STRTAB], size));
  if (data[size - 1] != 0) return bad(Code::strtab_not_terminated, "DT_STRTAB", size);
  image.strings = {data, size};
  return {};
}

Status Reader::read_symbols() {
  if (!tags.has(DT_SYMTAB)) {
    if (tags.has(DT_HASH) || tags.has_gnu_hash) return bad(Code::no_symtab, "DT_SYMTAB", 0);
    return {};
  }
  if (tags.has(DT_SYMENT) && tags[DT_SYMENT] != sizeof(Sym))
    return bad(Code::dynamic_bad_entry_size, "DT_SYMENT", tags[DT_SYMENT]);
  image.symbols = MYLD_TRY(table<Sym>("DT_SYMTAB", tags[DT_SYMTAB], sizeof(Sym)));
  const Phdr* load = image.segments.find_in_file({tags[DT_SYMTAB]}, sizeof(Sym));
  std::uint64_t end = load->p_vaddr + load->p_filesz;
  // No field states how many symbols there are. The string table follows in every linker's output
  // and bounds them; where it does not, the segment does.
  if (tags[DT_STRTAB] > tags[DT_SYMTAB] && tags[DT_STRTAB] < end) end = tags[DT_STRTAB];
  std::uint64_t count = (end - tags[DT_SYMTAB]) / sizeof(Sym);
  image.symbol_limit = static_cast<std::uint32_t>(count < UINT32_MAX ? count : UINT32_MAX);
  return {};
}

Status Reader::read_gnu_hash() {
  if (!tags.has_gnu_hash) return {};
  // The words of the bloom filter, behind a header of sixteen bytes, are read as they stand.
  MYLD_TRY(table<std::uint64_t>("DT_GNU_HASH", tags.gnu_hash, 16));
  auto* header = image.at<const std::uint32_t>({tags.gnu_hash});
  GnuHash h;
  h.bucket_count = header[0];
  h.first = header[1];
  std::uint32_t bloom_words = header[2];
  h.bloom_shift = header[3];
  if (!is_power_of_two(bloom_words) || h.bloom_shift >= 32)
    return bad(Code::bad_hash_table, "DT_GNU_HASH", bloom_words);
  if (h.bucket_count == 0) return bad(Code::bad_hash_table, "DT_GNU_HASH", 0);
  h.bloom_mask = bloom_words - 1;
  std::uint64_t bytes = 16 + std::uint64_t{bloom_words} * 8 + std::uint64_t{h.bucket_count} * 4;
  auto* base = MYLD_TRY(table<std::uint8_t>("DT_GNU_HASH", tags.gnu_hash, bytes));
  h.bloom = reinterpret_cast<const std::uint64_t*>(base + 16);
  h.buckets = reinterpret_cast<const std::uint32_t*>(h.bloom + bloom_words);
  h.chain = h.buckets + h.bucket_count;
  // No field states where the chain ends: what is mapped bounds it. It says nothing of the symbols
  // before `first`, and in a file that defines none `first` is no bound of them either.
  const Phdr* load = image.segments.find_in_file({tags.gnu_hash}, bytes);
  std::uint64_t room =
      (load->p_vaddr + load->p_filesz - (tags.gnu_hash + bytes)) / sizeof(std::uint32_t);
  std::uint64_t limit = std::uint64_t{h.first} + room;
  h.limit = static_cast<std::uint32_t>(limit < UINT32_MAX ? limit : UINT32_MAX);
  image.gnu_hash = h;
  return {};
}

Status Reader::read_sysv_hash() {
  if (!tags.has(DT_HASH)) return {};
  auto* header = MYLD_TRY(table<std::uint32_t>("DT_HASH", tags[DT_HASH], 8));
  SysvHash h{.bucket_count = header[0], .chain_count = header[1]};
  std::uint64_t bytes = 8 + (std::uint64_t{h.bucket_count} + h.chain_count) * 4;
  MYLD_TRY(table<std::uint32_t>("DT_HASH", tags[DT_HASH], bytes));
  h.buckets = header + 2;
  if (h.chain_count > image.symbol_limit)
    return bad(Code::bad_hash_table, "DT_HASH", h.chain_count);
  // Where symbols are found by it, each is in one chain. Chains that meet or go in circles could
  // make as many steps as there are buckets, times the symbols.
  std::uint32_t steps = 0;
  for (std::uint32_t b = 0; b < h.bucket_count && !tags.has_gnu_hash; ++b)
    for (std::uint32_t i = h.buckets[b]; i != 0 && i < h.chain_count; i = h.chain()[i])
      if (++steps >= h.chain_count) return bad(Code::bad_hash_table, "DT_HASH", b);
  // With a count of symbols at hand, an index past it is an error, not a read of something else.
  image.symbol_limit = h.chain_count;
  image.sysv_hash = h;
  return {};
}

Status Reader::read_versions() {
  if (tags.has_versym && image.symbols != nullptr) {
    // Where DT_HASH counts the symbols, each has its entry.
    std::uint64_t least = image.sysv_hash.chain_count > 1 ? image.sysv_hash.chain_count : 1;
    image.versym =
        MYLD_TRY(table<std::uint16_t>("DT_VERSYM", tags.versym, least * sizeof(std::uint16_t)));
    const Phdr* load = image.segments.find_in_file({tags.versym}, 2);
    std::uint64_t room = (load->p_vaddr + load->p_filesz - tags.versym) / sizeof(std::uint16_t);
    if (room < image.symbol_limit) image.symbol_limit = static_cast<std::uint32_t>(room);
  }
  if (tags.has_verneed && tags.verneednum != 0) {
    image.verneed = MYLD_TRY(table<Verneed>("DT_VERNEED", tags.verneed, sizeof(Verneed)));
    image.verneed_count = static_cast<std::uint32_t>(tags.verneednum);
  }
  if (tags.has_verdef && tags.verdefnum != 0) {
    image.verdef = MYLD_TRY(table<Verdef>("DT_VERDEF", tags.verdef, sizeof(Verdef)));
    image.verdef_count = static_cast<std::uint32_t>(tags.verdefnum);
  }
  return {};
}

Status Reader::read_relocations() {
  if (tags.has(DT_REL) && tags[DT_RELSZ] != 0)
    return bad(Code::dynamic_bad_entry_size, "DT_REL", tags[DT_RELSZ]);
  if (tags.has(DT_RELA)) {
    if (tags.has(DT_RELAENT) && tags[DT_RELAENT] != sizeof(Rela))
      return bad(Code::dynamic_bad_entry_size, "DT_RELAENT", tags[DT_RELAENT]);
    image.rela = MYLD_TRY(array<Rela>("DT_RELA", tags[DT_RELA], tags[DT_RELASZ]));
  }
  if (tags.has(DT_JMPREL) && tags[DT_PLTRELSZ] != 0) {
    if (tags[DT_PLTREL] != DT_RELA)
      return bad(Code::dynamic_bad_entry_size, "DT_PLTREL", tags[DT_PLTREL]);
    image.jmprel = MYLD_TRY(array<Rela>("DT_JMPREL", tags[DT_JMPREL], tags[DT_PLTRELSZ]));
    // Some linkers count the PLT's relocations in DT_RELASZ too; they are applied once.
    std::uint64_t plt = tags[DT_JMPREL], rela = tags[DT_RELA];
    if (!image.rela.empty() && plt >= rela && plt < rela + tags[DT_RELASZ])
      image.rela = image.rela.first(static_cast<std::size_t>((plt - rela) / sizeof(Rela)));
  }
  if (tags.has(DT_RELR)) {
    if (tags.has(DT_RELRENT) && tags[DT_RELRENT] != sizeof(Relr))
      return bad(Code::dynamic_bad_entry_size, "DT_RELRENT", tags[DT_RELRENT]);
    image.relr = MYLD_TRY(array<Relr>("DT_RELR", tags[DT_RELR], tags[DT_RELRSZ]));
  }
  std::uint64_t most = image.rela.size() < UINT32_MAX ? image.rela.size() : UINT32_MAX;
  image.relative_count = static_cast<std::uint32_t>(tags.relacount < most ? tags.relacount : most);
  if (tags.has(DT_PLTGOT) && !image.jmprel.empty()) {
    MYLD_TRY(table<std::uintptr_t>("DT_PLTGOT", tags[DT_PLTGOT], 3 * sizeof(std::uintptr_t)));
    const Phdr* load = image.segments.find_in_file({tags[DT_PLTGOT]}, 24);
    if ((load->p_flags & PF_W) != 0) image.got_plt = image.at<std::uintptr_t>({tags[DT_PLTGOT]});
  }
  return {};
}

Status Reader::read_initialisers() {
  Initialisers& i = image.init;
  auto code = [&](const char* tag, std::uint64_t at) -> Status {
    if (!image.segments.is_code({at})) return bad(Code::bad_code_address, tag, at);
    return {};
  };
  if (arch::Port::kInitFini && tags.has(DT_INIT) && tags[DT_INIT] != 0) {
    MYLD_CHECK(code("DT_INIT", tags[DT_INIT]));
    i.init = {tags[DT_INIT]};
  }
  if (tags.has(DT_FINI) && tags[DT_FINI] != 0) {
    MYLD_CHECK(code("DT_FINI", tags[DT_FINI]));
    i.fini = {tags[DT_FINI]};
  }
  if (tags.has(DT_PREINIT_ARRAY))
    i.preinit_array = MYLD_TRY(array<std::uintptr_t>("DT_PREINIT_ARRAY", tags[DT_PREINIT_ARRAY],
                                                     tags[DT_PREINIT_ARRAYSZ]));
  if (tags.has(DT_INIT_ARRAY))
    i.init_array = MYLD_TRY(
        array<std::uintptr_t>("DT_INIT_ARRAY", tags[DT_INIT_ARRAY], tags[DT_INIT_ARRAYSZ]));
  if (tags.has(DT_FINI_ARRAY))
    i.fini_array = MYLD_TRY(
        array<std::uintptr_t>("DT_FINI_ARRAY", tags[DT_FINI_ARRAY], tags[DT_FINI_ARRAYSZ]));
  return {};
}

Status Reader::read_flags() {
  std::uint64_t flags = tags[DT_FLAGS];
  image.flags_1 = static_cast<std::uint32_t>(tags.flags_1);
  image.text_relocations = tags.has(DT_TEXTREL) || (flags & DF_TEXTREL) != 0;
  image.symbolic = tags.has(DT_SYMBOLIC) || (flags & DF_SYMBOLIC) != 0;
  image.bind_now =
      tags.has(DT_BIND_NOW) || (flags & DF_BIND_NOW) != 0 || image.has_flag_1(DF_1_NOW);
  auto string = [&](std::uint64_t tag, const char* name, const char*& out) -> Status {
    if (!tags.has(tag)) return {};
    out = image.strings.at(tags[tag]);
    if (out == nullptr) return bad(Code::string_outside_table, name, tags[tag]);
    return {};
  };
  MYLD_CHECK(string(DT_SONAME, "DT_SONAME", image.soname));
  MYLD_CHECK(string(DT_RPATH, "DT_RPATH", image.rpath));
  MYLD_CHECK(string(DT_RUNPATH, "DT_RUNPATH", image.runpath));
  for (std::uint32_t i = 0; i < image.dynamic_count; ++i) {
    const Dyn& d = image.dynamic[i];
    if ((d.d_tag == DT_NEEDED || d.d_tag == DT_AUXILIARY || d.d_tag == DT_FILTER) &&
        image.strings.at(d.d_un.d_val) == nullptr)
      return bad(Code::string_outside_table, d.d_tag == DT_NEEDED ? "DT_NEEDED" : "DT_FILTER",
                 d.d_un.d_val);
  }
  return {};
}

}  // namespace

bool dynamic_is_writable(const Segments& segments) {
  const Phdr* d = segments.dynamic;
  const Phdr* load = d == nullptr ? nullptr : segments.find({d->p_vaddr}, d->p_memsz);
  return load != nullptr && (load->p_flags & PF_W) != 0;
}

std::size_t Image::metadata(Range (&out)[kMetadataRanges]) const {
  std::size_t n = 0;
  auto add = [&](const void* first, std::uint64_t bytes) {
    if (first == nullptr || bytes == 0) return;
    std::uint64_t start = (RunAddr::of(first) - bias).value;
    out[n++] = {start, start + bytes};
  };
  add(dynamic, (std::uint64_t{dynamic_count} + 1) * sizeof(Dyn));
  if (strings.size != 0) add(strings.data, strings.size);
  add(symbols, std::uint64_t{symbol_limit} * sizeof(Sym));
  add(versym, std::uint64_t{symbol_limit} * sizeof(std::uint16_t));
  if (gnu_hash.bucket_count != 0) {
    // From the bloom filter to the end of the chains, which lie behind each other.
    const auto* end = gnu_hash.chain;
    if (gnu_hash.limit > gnu_hash.first) end += gnu_hash.limit - gnu_hash.first;
    add(gnu_hash.bloom, RunAddr::of(end).value - RunAddr::of(gnu_hash.bloom).value);
  }
  if (sysv_hash.bucket_count != 0)
    add(sysv_hash.buckets,
        (std::uint64_t{sysv_hash.bucket_count} + sysv_hash.chain_count) * sizeof(std::uint32_t));
  add(rela.data(), rela.size_bytes());
  add(jmprel.data(), jmprel.size_bytes());
  add(relr.data(), relr.size_bytes());
  return n;
}

bool is_address_tag(std::int64_t tag) {
  switch (tag) {
  case DT_HASH:
  case DT_PLTGOT:
  case DT_STRTAB:
  case DT_SYMTAB:
  case DT_RELA:
  case DT_JMPREL:
  case DT_VERSYM:
  case DT_GNU_HASH: return true;
  default: return false;
  }
}

Result<Image>
read_image(LoadBias bias, const Segments& segments, const char* object, bool relocated) {
  Reader r{{}, {}, object};
  if (relocated && dynamic_is_writable(segments)) r.moved = bias.value;
  r.image.bias = bias;
  r.image.segments = segments;
  if (segments.dynamic == nullptr) return r.image;
  MYLD_CHECK(r.read_tags());
  MYLD_CHECK(r.read_strings());
  MYLD_CHECK(r.read_symbols());
  MYLD_CHECK(r.read_gnu_hash());
  MYLD_CHECK(r.read_sysv_hash());
  MYLD_CHECK(r.read_versions());
  if (r.image.gnu_hash.limit > r.image.symbol_limit) r.image.gnu_hash.limit = r.image.symbol_limit;
  MYLD_CHECK(r.read_relocations());
  MYLD_CHECK(r.read_initialisers());
  MYLD_CHECK(r.read_flags());
  return r.image;
}

std::uint32_t Image::gnu_hashed_end() const {
  std::uint32_t last = 0;
  for (std::uint32_t b = 0; b < gnu_hash.bucket_count; ++b)
    if (gnu_hash.buckets[b] > last) last = gnu_hash.buckets[b];
  // An empty table still has a bucket, and then `first` says nothing.
  if (gnu_hash.bucket_count == 0 || last < gnu_hash.first) return 0;
  while (last < gnu_hash.limit && (gnu_hash.chain[last - gnu_hash.first] & 1) == 0) ++last;
  return last < gnu_hash.limit ? last + 1 : gnu_hash.limit;
}

std::span<const std::uint8_t> find_note(const Image& image, const char* owner, std::uint32_t type) {
  // A file has a handful. Segments that lie over each other could have any number read.
  int left = 1 << 16;
  std::size_t owner_bytes = strlen(owner) + 1;
  for (const Phdr& p : image.segments.phdrs) {
    if (p.p_type != PT_NOTE || image.segments.find_in_file({p.p_vaddr}, p.p_filesz) == nullptr)
      continue;
    std::uint64_t align = p.p_align == 8 ? 8 : 4;
    const auto* base = image.at<const std::uint8_t>({p.p_vaddr});
    std::uint64_t at = 0;
    while (at <= p.p_filesz && p.p_filesz - at >= sizeof(Nhdr)) {
      if (--left < 0) return {};
      Nhdr n;
      memcpy(&n, base + at, sizeof n);
      std::uint64_t name = at + sizeof n;
      std::uint64_t desc = round_up(name + n.n_namesz, align);
      std::uint64_t next = round_up(desc + n.n_descsz, align);
      if (desc > p.p_filesz || n.n_descsz > p.p_filesz - desc) break;
      if (n.n_type == type && n.n_namesz == owner_bytes &&
          memcmp(base + name, owner, owner_bytes) == 0)
        return {base + desc, n.n_descsz};
      at = next;
    }
  }
  return {};
}

std::uint32_t program_property(const Image& image, std::uint32_t type) {
  const Phdr* p = image.segments.first_of(PT_GNU_PROPERTY);
  if (p == nullptr || image.segments.find_in_file({p->p_vaddr}, p->p_filesz) == nullptr) return 0;
  const auto* base = image.at<const std::uint8_t>({p->p_vaddr});
  // One note, "GNU" of type 5, then {type, bytes, value} padded to eight bytes each.
  constexpr std::uint32_t kPropertyType0 = 5;
  struct {
    Nhdr header;
    char name[4];
  } note;
  if (p->p_filesz < sizeof note) return 0;
  memcpy(&note, base, sizeof note);
  if (note.header.n_type != kPropertyType0 || note.header.n_namesz != 4 ||
      memcmp(note.name, "GNU", 4) != 0 || note.header.n_descsz > p->p_filesz - sizeof note)
    return 0;
  std::uint64_t at = sizeof note, end = at + note.header.n_descsz;
  while (end - at >= 8) {
    std::uint32_t words[2];
    memcpy(words, base + at, sizeof words);
    at += sizeof words;
    if (words[1] > end - at) return 0;
    if (words[0] == type && words[1] == 4) {
      std::uint32_t value = 0;
      memcpy(&value, base + at, sizeof value);
      return value;
    }
    at += round_up(words[1], 8);
    if (at > end) return 0;
  }
  return 0;
}

}  // namespace myld::elf
