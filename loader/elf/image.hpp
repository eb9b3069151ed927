// What the dynamic section of a mapped file says, every pointer checked against the segments it
// must lie in. An Image is facts only: no decision of this process is in it.
#pragma once
#include "loader/base/addr.hpp"
#include "loader/base/result.hpp"
#include "loader/elf/headers.hpp"
#include "loader/elf/layout.hpp"

#include <span>

namespace myld::elf {

/// DT_STRTAB. Invariant: the last byte is NUL, so every offset below `size` starts a string.
struct StringTable {
  const char* data = "";
  std::uint64_t size = 0;

  /// The string at `offset`, or nullptr if that is outside.
  const char* at(std::uint64_t offset) const { return offset < size ? data + offset : nullptr; }
};

/// DT_GNU_HASH. Invariants: bloom_mask + 1 words of bloom and bucket_count buckets are mapped, and
/// chain[i - first] is mapped for first <= i < limit <= Image::symbol_limit.
struct GnuHash {
  std::uint32_t bucket_count = 0;  ///< 0: there is no such table
  std::uint32_t first = 0;         ///< index of the first hashed symbol
  std::uint32_t limit = 0;         ///< past the last symbol that may be hashed
  std::uint32_t bloom_mask = 0;
  std::uint32_t bloom_shift = 0;
  const std::uint64_t* bloom = nullptr;
  const std::uint32_t* buckets = nullptr;
  const std::uint32_t* chain = nullptr;  ///< entry of symbol `first`
};

/// DT_HASH. Invariants: both arrays are mapped.
struct SysvHash {
  std::uint32_t bucket_count = 0;  ///< 0: there is no such table
  std::uint32_t chain_count = 0;   ///< number of symbols
  const std::uint32_t* buckets = nullptr;
  const std::uint32_t* chain() const { return buckets + bucket_count; }
};

/// The functions of DT_INIT, DT_FINI and their arrays, as link addresses or the words in memory.
struct Initialisers {
  LinkAddr init, fini;  ///< 0: none
  std::span<const std::uintptr_t> preinit_array, init_array, fini_array;
};

struct Image {
  // What look-up reads, in as few lines of the cache as it takes.
  LoadBias bias;
  StringTable strings;
  const Sym* symbols = nullptr;
  const std::uint16_t* versym = nullptr;  ///< one for each symbol below symbol_limit, or nullptr
  std::uint32_t symbol_limit = 0;         ///< indices below it are mapped
  std::uint32_t dynamic_count = 0;        ///< entries before DT_NULL
  GnuHash gnu_hash;
  SysvHash sysv_hash;

  Segments segments;
  Dyn* dynamic = nullptr;  ///< nullptr: the file has no PT_DYNAMIC
  const Verneed* verneed = nullptr;
  const Verdef* verdef = nullptr;
  std::uint32_t verneed_count = 0;
  std::uint32_t verdef_count = 0;

  std::span<const Rela> rela;    ///< DT_RELA without the PLT's part
  std::span<const Rela> jmprel;  ///< DT_JMPREL
  std::span<const Relr> relr;
  std::uint32_t relative_count = 0;   ///< DT_RELACOUNT, clipped to rela.size()
  std::uint32_t flags_1 = 0;          ///< DT_FLAGS_1
  std::uintptr_t* got_plt = nullptr;  ///< DT_PLTGOT, three words mapped and writable, or nullptr
  Initialisers init;

  bool text_relocations = false;  ///< DT_TEXTREL or DF_TEXTREL
  bool symbolic = false;          ///< DT_SYMBOLIC or DF_SYMBOLIC
  bool bind_now = false;          ///< DT_BIND_NOW, DF_BIND_NOW or DF_1_NOW
  const char* soname = nullptr;
  const char* rpath = nullptr;
  const char* runpath = nullptr;

  /// The tables that the loader reads for as long as the module lives. Nothing may be stored there:
  /// what was checked must stay as it was.
  struct Range {
    std::uint64_t start, end;  ///< link addresses
  };
  static constexpr std::size_t kMetadataRanges = 9;
  std::size_t metadata(Range (&out)[kMetadataRanges]) const;

  /// Number of the first symbol behind those that DT_GNU_HASH's chains hold, at most
  /// gnu_hash.limit. Reads every bucket.
  std::uint32_t gnu_hashed_end() const;

  template <class T>
  T* at(LinkAddr a) const {
    return (bias + a).as<T>();
  }
  bool has_flag_1(std::uint64_t bit) const { return (flags_1 & bit) != 0; }
};

/// Does everybody who walks a dynamic section on this system expect a run address in entries of
/// this tag? libc (unless l_ld_readonly), profilers and hooking libraries do.
bool is_address_tag(std::int64_t tag);
/// Is the dynamic section in a writable segment, so that its entries can be made so?
bool dynamic_is_writable(const Segments& segments);

/// Reads the dynamic section of a file that is mapped at `bias`.
/// Needs: `segments` checked and mapped, nothing relocated; or all is, as the loader leaves it, a
/// writable dynamic section too (`relocated`). Errors name `object`, the tag and its
/// value. Source: gABI 5 "Dynamic Section"; Drepper, "ELF Symbol Versioning"; "DT_GNU_HASH"
/// (binutils).
Result<Image>
read_image(LoadBias bias, const Segments& segments, const char* object, bool relocated = false);

/// The value of the program property `type` in PT_GNU_PROPERTY, where it is a 32-bit word; 0 if
/// there is none. Source: "Linux Extensions to gABI", .note.gnu.property.
std::uint32_t program_property(const Image& image, std::uint32_t type);

/// The note of `type` owned by `owner` in the PT_NOTE segments, or an empty span.
std::span<const std::uint8_t> find_note(const Image& image, const char* owner, std::uint32_t type);

}  // namespace myld::elf
