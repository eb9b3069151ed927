#include "rtld/start/lz4.hpp"

#include "loader/base/mem.hpp"

#include <cstdint>

namespace myld::start {
namespace {

using Bytes = std::span<const unsigned char>;

std::uint32_t little_endian(const unsigned char* p) {
  return p[0] | std::uint32_t{p[1]} << 8 | std::uint32_t{p[2]} << 16 | std::uint32_t{p[3]} << 24;
}

/// A number of 15 and more goes on in bytes, up to one that is not 255. False: the block ends.
bool extend(std::size_t& n, const unsigned char*& in, const unsigned char* end) {
  for (;;) {
    if (in == end) return false;
    unsigned char more = *in++;
    n += more;
    if (more != 255) return true;
  }
}

/// Decodes one block to `to`, behind which there is room for `capacity` bytes; it may refer back to
/// `before` bytes in front of it. Returns how many bytes it made, or -1 if it is malformed.
std::ptrdiff_t decode_block(Bytes block, char* to, std::size_t capacity, std::size_t before) {
  const unsigned char *in = block.data(), *end = in + block.size();
  std::size_t made = 0;
  while (in != end) {
    unsigned token = *in++;
    std::size_t literals = token >> 4;
    if (literals == 15 && !extend(literals, in, end)) return -1;
    if (literals > static_cast<std::size_t>(end - in) || literals > capacity - made) return -1;
    memcpy(to + made, in, literals);
    in += literals;
    made += literals;
    if (in == end) break;  // the last sequence has no match
    if (end - in < 2) return -1;
    std::size_t offset = in[0] | std::size_t{in[1]} << 8;
    in += 2;
    std::size_t match = token & 15;
    if (match == 15 && !extend(match, in, end)) return -1;
    match += 4;
    if (offset == 0 || offset > made + before || match > capacity - made) return -1;
    // The two may overlap: what was just written is read again.
    const char* from = to + made - offset;
    for (std::size_t i = 0; i < match; ++i) to[made + i] = from[i];
    made += match;
  }
  return static_cast<std::ptrdiff_t>(made);
}

struct Reader {
  Bytes rest;
  std::string_view wanted;
  char* room;
  std::size_t before = 0;  ///< bytes of the text that end at room + kLz4Window

  bool take(std::size_t n, Bytes& out) {
    if (rest.size() < n) return false;
    out = {rest.data(), n};
    rest = {rest.data() + n, rest.size() - n};
    return true;
  }

  Lz4Result frame();
  Lz4Result block(std::size_t block_checksum, bool& last);
};

Lz4Result Reader::block(std::size_t block_checksum, bool& last) {
  constexpr std::uint32_t kStored = std::uint32_t{1} << 31;
  Bytes part;
  if (!take(4, part)) return Lz4Result::malformed;
  std::uint32_t head = little_endian(part.data());
  last = head == 0;
  if (last) return Lz4Result::not_found;
  Bytes data;
  if (!take(head & ~kStored, data) || !take(block_checksum, part)) return Lz4Result::malformed;
  char* to = room + kLz4Window;
  std::size_t made = data.size();
  if ((head & kStored) != 0) {
    if (made > kLz4MaxBlock) return Lz4Result::malformed;
    memcpy(to, data.data(), made);
  } else {
    std::ptrdiff_t n = decode_block(data, to, kLz4MaxBlock, before);
    if (n < 0) return Lz4Result::malformed;
    made = static_cast<std::size_t>(n);
  }
  // What is wanted may begin in the block before.
  std::size_t back = before < wanted.size() ? before : wanted.size();
  if (std::string_view(to - back, made + back).find(wanted) != std::string_view::npos)
    return Lz4Result::found;
  std::size_t keep = before + made < kLz4Window ? before + made : kLz4Window;
  memmove(to - keep, to + made - keep, keep);
  before = keep;
  return Lz4Result::not_found;
}

/// One frame: a header, blocks up to one of size 0, perhaps a checksum.
Lz4Result Reader::frame() {
  constexpr std::uint32_t kMagic = 0x184d2204, kSkippable = 0x184d2a50;
  Bytes part;
  if (!take(4, part)) return Lz4Result::malformed;
  std::uint32_t magic = little_endian(part.data());
  if ((magic & ~std::uint32_t{15}) == kSkippable) {
    if (!take(4, part) || !take(little_endian(part.data()), part)) return Lz4Result::malformed;
    return Lz4Result::not_found;
  }
  if (magic != kMagic || !take(2, part)) return Lz4Result::malformed;
  unsigned flags = part[0];
  bool size = (flags & 8) != 0, dictionary = (flags & 1) != 0, checksum = (flags & 4) != 0;
  if (flags >> 6 != 1 || dictionary || !take((size ? 8 : 0) + 1, part)) return Lz4Result::malformed;
  before = 0;
  for (bool last = false; !last;)
    if (Lz4Result r = block((flags & 16) != 0 ? 4 : 0, last); r != Lz4Result::not_found) return r;
  return take(checksum ? 4 : 0, part) ? Lz4Result::not_found : Lz4Result::malformed;
}

}  // namespace

Lz4Result
find_in_lz4(std::span<const unsigned char> file, std::string_view wanted, std::span<char> room) {
  if (room.size() < kLz4Room || wanted.size() > kLz4Window) return Lz4Result::malformed;
  Reader reader{file, wanted, room.data()};
  while (!reader.rest.empty())
    if (Lz4Result r = reader.frame(); r != Lz4Result::not_found) return r;
  return Lz4Result::not_found;
}

}  // namespace myld::start
