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
using VersionTable = Vec<Version>;

/// Reads DT_VERDEF and DT_VERNEED. Errors: bad_version_table with the field and offset;
/// out_of_memory.
Status read_versions(const Image& image, const char* object, VersionTable& out);

/// Calls visit(file name, Version) for every needed version. Needs: read_versions succeeded.
template <class Visit>
void for_each_needed_version(const VersionTable& table, Visit visit) {
  for (const Version& v : table)
    if (v.file != nullptr) visit(v);
}

/// True if the module defines the version.
bool defines_version(const VersionTable& table, const char* name, std::uint32_t hash);

}  // namespace myld::elf
