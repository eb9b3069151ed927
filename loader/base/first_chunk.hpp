// The heap's first chunk: part of the file's zero-filled data, so that a small program costs no
// mapping, and the last of it, so that what a start uses of it continues the data before it.
#pragma once
#include <cstddef>

namespace myld {

/// What is not touched of it costs nothing, but counts for RLIMIT_DATA.
inline constexpr std::size_t kFirstChunkBytes = 32 * 1024;
/// As much as the smallest programs use.
inline constexpr std::size_t kFirstChunkUsed = 16 * 1024;

}  // namespace myld

extern "C" [[gnu::visibility("hidden")]] unsigned char myld_first_chunk[myld::kFirstChunkBytes];
