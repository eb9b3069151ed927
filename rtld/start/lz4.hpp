// Text in LZ4 frames, as apt may keep its lists: decoded a block at a time, and looked at.
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

namespace myld::start {

/// Room for one run of Lz4Text: what the blocks may refer back to, and the largest block.
inline constexpr std::size_t kLz4Window = std::size_t{64} << 10;
inline constexpr std::size_t kLz4MaxBlock = std::size_t{4} << 20;
inline constexpr std::size_t kLz4Room = kLz4Window + kLz4MaxBlock;

enum class Lz4Result { found, not_found, malformed };

/// Is `wanted` (at most kLz4Window bytes) in the text of the frames `file`? `room` has kLz4Room
/// bytes. Reads and writes nothing outside of the two, whatever is in `file`; checksums are not
/// looked at. Source: "LZ4 Frame Format Description" 1.6, "LZ4 Block Format Description".
Lz4Result
find_in_lz4(std::span<const unsigned char> file, std::string_view wanted, std::span<char> room);

}  // namespace myld::start
