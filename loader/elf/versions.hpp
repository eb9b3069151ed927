// Symbol versions: what the indices of DT_VERSYM stand for.
// Source: Drepper, "ELF Symbol Versioning".
#pragma once
#include "loader/base/result.hpp"
#include "loader/elf/image.hpp"
#include "loader/heap/vec.hpp"

namespace myld::elf {

inline constexpr std::uint16_t kVersionHidden = 0x8000;
inline constexpr std::uint16_t kVersionIndexMask = 0x7fff;

struct Version {
  const char* name = nullptr;  ///< nullptr: the index stands for no version
  std::uint32_t hash = 0;
  bool weak = false;  ///< VER_FLG_WEAK: its absence is no error
  const char* file =
      nullptr;  ///< of a needed version: the soname it is expected from; else nullptr
};

/// Versions by index, definitions and needs together, as DT_VERSYM uses them.
class VersionTable : public Vec<Version> {
public:
  VersionTable() = default;
  VersionTable(const VersionTable&) = delete;
  VersionTable& operator=(const VersionTable&) = delete;
  ~VersionTable();

  /// Is there a definition of this name and hash? Not to be asked by two threads at once, nor
  /// before the table is complete.
  bool defines(const char* name, std::uint32_t hash) const;
  /// How many entries defines() has looked at one by one.
  std::uint32_t looked_at() const { return looked_at_; }

private:
  struct Definition {
    std::uint64_t key;
    std::uint32_t index;
  };
  struct Sorted {  ///< a block on the heap
    std::size_t count;
    Definition definitions[];
  };
  std::size_t find_one_by_one(const char* name, std::uint32_t hash) const;
  void sort() const;
  bool is(std::size_t index, const char* name, std::uint32_t hash) const;

  // A file may ask for tens of thousands of versions of another. What looking at one by one costs
  // is counted, and when that is more than sorting does, the definitions are sorted.
  mutable Sorted* sorted_ = nullptr;
  mutable std::uint32_t looked_at_ = 0;
};

/// Reads DT_VERDEF and DT_VERNEED. Errors: bad_version_table with the field and offset;
/// out_of_memory.
Status read_versions(const Image& image, const char* object, VersionTable& out);

/// Calls visit(file name, Version) for every needed version. Needs: read_versions succeeded.
template <class Visit>
void for_each_needed_version(const VersionTable& table, Visit visit) {
  for (const Version& v : table)
    if (v.file != nullptr) visit(v);
}

}  // namespace myld::elf
