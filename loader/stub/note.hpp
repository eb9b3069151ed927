// What a bundled program says of itself, in a note of owner "myld" (docs/bundle.md). tools/bundle
// fills it in; the stub, which the kernel starts, and the loader read it.
#pragma once
#include <cstddef>
#include <cstdint>

namespace myld::stub {

inline constexpr char kOwner[] = "myld";
/// The text of a configuration (docs/config.md).
inline constexpr std::uint32_t kConfigNote = 1;
/// A Start.
inline constexpr std::uint32_t kStartNote = 2;

/// The kernel enters a bundled program at its stub, since e_entry says so.
struct [[gnu::packed]] Start {
  std::uint64_t entry;  ///< where the program itself begins: a link address
  std::uint64_t stub;   ///< where the stub begins: a link address, the file's e_entry
  char loader[240];     ///< the loader's path, from the directory of the program; NUL-terminated
};
static_assert(sizeof(Start) == 256);

}  // namespace myld::stub
