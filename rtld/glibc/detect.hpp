// Which glibc is this? Chooses the Layout for a libc.so.6 that is mapped but not yet relocated,
// before any of its code runs.
//
// A release number does not say how libc was compiled: the private structures change on maintenance
// branches and by distributors' patches. So the mapped file itself is asked. A known build-id
// settles it; otherwise libc's release number selects the candidates, and every place where libc's
// own data and code state an offset
// ("anchor") must agree with a candidate:
//   - the `_thread_db_*` descriptors, exported for debuggers: struct pthread, link_map,
//   _rtld_global;
//   - short functions that read _rtld_global_ro: _dl_find_object, dlclose, dladdr, clock_gettime
//   ...;
//   - whether libc defines _dl_catch_exception or leaves that to the loader.
// If two candidates agree with all of that they must agree with one another, but for members that
// only one of them has and the other leaves as padding. Anything else is unknown, and the answer
// says why: nothing is guessed, since a wrong offset is a corrupted process.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "rtld/glibc/layouts/known.hpp"

namespace myld::glibc {

/// What detection may look at.
struct LibcFacts {
  std::span<const std::uint8_t> build_id;  ///< The bytes of NT_GNU_BUILD_ID; may be empty.
  const void* context = nullptr;
  /// Run address and st_size of a symbol that libc's dynamic symbol table defines, in any version;
  /// nullptr if it does not. The memory must be readable for that size.
  const void* (*find)(const void* context, const char* name, std::uint64_t* size) = nullptr;
};

enum class Verdict : std::uint8_t {
  by_build_id,     ///< A build that the tables name.
  by_fingerprint,  ///< Every anchor agrees.
  not_glibc,       ///< It does not say that it is glibc, nor which.
  unsupported,     ///< A release that no table is for, older or newer, or a development snapshot.
  different,       ///< A release with tables, none of which fits.
  ambiguous,       ///< More than one table fits, and they differ where it matters.
};

/// One anchor of a table, and what was found in its place.
struct Mismatch {
  const char* anchor = nullptr;
  Offset expected = kAbsent;  ///< kAbsent: the table says that there is none.
  Offset found = kAbsent;     ///< kAbsent: no such symbol, or its code could not be read.
};

struct Detection {
  Verdict verdict = Verdict::not_glibc;
  const Known* known = nullptr;
  const Layout* layout = nullptr;  ///< nullptr unless by_build_id or by_fingerprint.
  const char* origin = nullptr;    ///< What `layout` was taken from.
  /// The tables of tunables of all candidates agree, so layout->tunables can be relied on. Nothing
  /// in libc tells which one is right: where this is false, store no values.
  bool tunables_certain = false;
  std::array<char, 16> version{};  ///< As libc states it, "2.36"; "" if it does not.
  std::span<const std::uint8_t> build_id;

  /// different: the table that comes closest, where it differs (the first few), and in how many
  /// anchors. ambiguous: the second table that fits is `nearest_origin`, the first one `origin`.
  const char* nearest_origin = nullptr;
  std::array<Mismatch, 6> mismatches{};
  std::size_t mismatch_count = 0;
};

/// Needs: libc's text and read-only data mapped. Does not need it relocated, runs none of its code,
/// writes nothing.
Detection detect(const LibcFacts& libc, const Known& known);

/// Among the layouts of the ISA that this program is built for.
Detection detect(const LibcFacts& libc);

/// What a start relies on: a build-id that is known is believed, and nothing of the file's code and
/// data is read for it; of any other libc, detect(). Gives: no version where the build-id is known.
Detection recognise(const LibcFacts& libc);

/// One line for people, without a newline: what was found, what is known, and what to do about it.
/// Truncated to `out`, always with a terminating zero. Returns the length of the text.
std::size_t explain(const Detection& detection, std::span<char> out);

}  // namespace myld::glibc
