// A mutator that knows an ELF file's fields: it changes one of a header, a dynamic entry, a symbol,
// a hash table, a version or a relocation to something that is likely to be wrong in an interesting
// way. Source of the positions: gABI 4 and 5; "DT_GNU_HASH"; Drepper, "ELF Symbol Versioning".
#include "tests/fuzz/elf_mutator.hpp"

#include "loader/elf/layout.hpp"
#include "tests/fuzz/elf_builder.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace myld::fuzz {
namespace {

/// One field: where it is in the file, and how many bytes it has.
struct Field {
  std::size_t at, bytes;
};

/// The fields of one kind of record.
struct Shape {
  std::size_t record;  ///< bytes
  std::initializer_list<Field> fields;
};

const Shape kEhdr{
    64, {{4, 1}, {5, 1}, {6, 1}, {7, 1}, {16, 2}, {18, 2}, {20, 4}, {32, 8}, {54, 2}, {56, 2}}};
const Shape kPhdr{56, {{0, 4}, {4, 4}, {8, 8}, {16, 8}, {32, 8}, {40, 8}, {48, 8}}};
const Shape kDyn{16, {{0, 8}, {8, 8}, {8, 8}, {8, 8}}};
const Shape kSym{24, {{0, 4}, {4, 1}, {5, 1}, {6, 2}, {8, 8}, {16, 8}}};
const Shape kRela{24, {{0, 8}, {8, 4}, {12, 4}, {16, 8}}};
const Shape kWord{4, {{0, 4}}};
const Shape kHalf{2, {{0, 2}}};
const Shape kXword{8, {{0, 8}}};
const Shape kVerneed{16, {{0, 2}, {2, 2}, {4, 4}, {8, 4}, {12, 4}}};
const Shape kVerdef{20, {{0, 2}, {2, 2}, {4, 2}, {6, 2}, {8, 4}, {12, 4}, {16, 4}}};

/// A lenient view: nothing in it need be right, but nothing outside is touched.
class File {
public:
  File(std::span<std::uint8_t> bytes, Random& random) : bytes_(bytes), r_(random) {}

  std::uint64_t get(Field f) const {
    std::uint64_t value = 0;
    if (f.at <= bytes_.size() && f.bytes <= bytes_.size() - f.at)
      std::memcpy(&value, bytes_.data() + f.at, f.bytes);
    return value;
  }
  void set(Field f, std::uint64_t value) {
    if (f.at <= bytes_.size() && f.bytes <= bytes_.size() - f.at)
      std::memcpy(bytes_.data() + f.at, &value, f.bytes);
  }
  void change_one();

private:
  std::size_t phdrs() const { return get({32, 8}); }
  std::size_t phnum() const { return std::min<std::uint64_t>(get({56, 2}), 64); }
  /// The place in the file of what is at a link address.
  std::size_t offset_of(std::uint64_t address) const {
    for (std::size_t i = 0; i < phnum(); ++i) {
      std::size_t p = phdrs() + i * kPhdr.record;
      std::uint64_t from = get({p + 16, 8});
      if (get({p, 4}) == PT_LOAD && address >= from && address - from < get({p + 32, 8}))
        return get({p + 8, 8}) + (address - from);
    }
    return address;
  }
  std::size_t dynamic(std::size_t& count) const {
    for (std::size_t i = 0; i < phnum(); ++i) {
      std::size_t p = phdrs() + i * kPhdr.record;
      if (get({p, 4}) != PT_DYNAMIC) continue;
      count = get({p + 32, 8}) / kDyn.record;
      return get({p + 8, 8});
    }
    count = 0;
    return 0;
  }
  std::uint64_t tag(std::uint64_t wanted) const {
    std::size_t count = 0, at = dynamic(count);
    for (std::size_t i = 0; i < std::min<std::size_t>(count, 64); ++i)
      if (get({at + i * kDyn.record, 8}) == wanted) return get({at + i * kDyn.record + 8, 8});
    return 0;
  }
  std::uint64_t wrong(std::uint64_t old, std::size_t bytes);
  void change(std::size_t table, const Shape& shape, std::size_t count);

  std::span<std::uint8_t> bytes_;
  Random& r_;
};

/// A value in the place of `old`.
std::uint64_t File::wrong(std::uint64_t old, std::size_t bytes) {
  std::uint64_t all = bytes == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << bytes * 8) - 1;
  switch (below(r_, 12)) {
  case 0: return 0;
  case 1: return all;
  case 2: return all >> 1;
  case 3: return old + 1;
  case 4: return old - 1;
  case 5: return old + (std::uint64_t{1} << below(r_, static_cast<std::uint32_t>(bytes) * 8));
  case 6: return old ^ std::uint64_t{1} << below(r_, static_cast<std::uint32_t>(bytes) * 8);
  case 7: return bytes_.size() - below(r_, 32);
  case 8: return get({phdrs() + 16 + kPhdr.record * below(r_, 4), 8}) + below(r_, 0x400);
  case 9: return below(r_, 64);
  case 10: return old * 2;
  default: return ~old + 1;
  }
}

void File::change(std::size_t table, const Shape& shape, std::size_t count) {
  count = std::min(count, bytes_.size() / shape.record);
  if (count == 0) return;
  std::size_t record = table + below(r_, static_cast<std::uint32_t>(count)) * shape.record;
  if (below(r_, 8) == 0) {  // the same as another one
    std::size_t other = table + below(r_, static_cast<std::uint32_t>(count)) * shape.record;
    for (std::size_t i = 0; i < shape.record; ++i) set({record + i, 1}, get({other + i, 1}));
    return;
  }
  Field f = shape.fields.begin()[below(r_, static_cast<std::uint32_t>(shape.fields.size()))];
  f.at += record;
  set(f, wrong(get(f), f.bytes));
}

void File::change_one() {
  std::size_t count = 0, at = dynamic(count);
  auto table = [&](std::uint64_t t) { return offset_of(tag(t)); };
  constexpr std::size_t kSome = 16;
  switch (below(r_, 16)) {
  case 0: return change(0, kEhdr, 1);
  case 1:
  case 2: return change(phdrs(), kPhdr, phnum());
  case 3:
  case 4:
  case 5: return change(at, kDyn, std::max<std::size_t>(count, 1));
  case 6: return change(table(DT_SYMTAB), kSym, kSome);
  case 7: return change(table(DT_GNU_HASH), kWord, kSome);
  case 8: return change(table(DT_HASH), kWord, kSome);
  case 9: return change(table(DT_VERSYM), kHalf, kSome);
  case 10: return change(table(DT_VERNEED), kVerneed, 2);
  case 11: return change(table(DT_VERDEF), kVerdef, 3);
  case 12: return change(table(DT_RELA), kRela, tag(DT_RELASZ) / kRela.record + 1);
  case 13: return change(table(DT_JMPREL), kRela, tag(DT_PLTRELSZ) / kRela.record + 1);
  case 14: return change(table(DT_RELR), kXword, 3);
  default: {
    // A note or another part that a header describes.
    std::size_t p = phdrs() + below(r_, static_cast<std::uint32_t>(phnum() + 1)) * kPhdr.record;
    return change(get({p + 8, 8}), kWord, kSome);
  }
  }
}

}  // namespace

std::size_t mutate_elf(std::uint8_t* data,
                       std::size_t size,
                       std::size_t max_size,
                       unsigned seed,
                       std::size_t (*plain)(std::uint8_t*, std::size_t, std::size_t)) {
  Random random(seed);
  random.discard(3);
  if (size < 512 || below(random, 50) == 0) {
    std::vector<std::uint8_t> made = build_elf(random);
    if (made.size() > max_size) return plain == nullptr ? size : plain(data, size, max_size);
    std::memcpy(data, made.data(), made.size());
    size = made.size();
    if (below(random, 4) == 0) return size;
  }
  if (plain != nullptr && below(random, 4) == 0) return plain(data, size, max_size);
  File file({data, size}, random);
  for (std::uint32_t n = 1 + below(random, 3); n > 0; --n) file.change_one();
  return size;
}

}  // namespace myld::fuzz
