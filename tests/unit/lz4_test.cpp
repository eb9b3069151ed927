#include "rtld/start/lz4.hpp"

#include "tests/unit/catch.hpp"

#include <string>
#include <vector>

using namespace myld::start;

namespace {

using Data = std::vector<unsigned char>;

Data with_size(Data block, bool stored) {
  auto n = static_cast<unsigned>(block.size()) | (stored ? 0x80000000U : 0U);
  Data out{static_cast<unsigned char>(n), static_cast<unsigned char>(n >> 8),
           static_cast<unsigned char>(n >> 16), static_cast<unsigned char>(n >> 24)};
  out.insert(out.end(), block.begin(), block.end());
  return out;
}

/// A frame of linked blocks, 64 KiB at most, without checksums.
Data frame(const std::vector<Data>& blocks) {
  Data out{0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0x00};
  for (const Data& b : blocks) out.insert(out.end(), b.begin(), b.end());
  out.insert(out.end(), 4, 0);
  return out;
}

Data bytes(const std::string& text) { return {text.begin(), text.end()}; }

Lz4Result find(const Data& file, const char* wanted) {
  std::vector<char> room(kLz4Room);
  // A copy of the exact size, so that the sanitizer sees a read behind its end.
  Data exact(file);
  exact.shrink_to_fit();
  return find_in_lz4(exact, wanted, room);
}

}  // namespace

TEST_CASE("text in stored and compressed LZ4 blocks is found") {
  Data stored = with_size(bytes("Package: one\n"), true);
  // "ab", then 9 bytes from 2 back, then "X": ababababababX... by the block format.
  Data compressed = with_size({0x25, 'a', 'b', 2, 0, 0x10, 'X'}, false);
  CHECK(find(frame({stored}), "Package: one\n") == Lz4Result::found);
  CHECK(find(frame({stored}), "Package: two\n") == Lz4Result::not_found);
  CHECK(find(frame({compressed}), "abababababaX") == Lz4Result::found);
  CHECK(find(frame({compressed}), "ababababababX") == Lz4Result::not_found);
}

TEST_CASE("what is wanted may begin in the block before, and blocks refer back to it") {
  Data first = with_size(bytes("hello wor"), true), second = with_size(bytes("ld"), true);
  CHECK(find(frame({first, second}), "hello world") == Lz4Result::found);
  // No literals, five bytes from nine back.
  Data back = with_size({0x01, 9, 0, 0x10, '!'}, false);
  CHECK(find(frame({first, back}), "worhello!") == Lz4Result::found);
}

TEST_CASE("long literals and matches, several frames, and frames to be skipped") {
  std::string text(300, 'x');
  Data block{0xff, 255, 30};  // 15 + 255 + 30 literals
  block.insert(block.end(), text.begin(), text.end());
  block.insert(block.end(), {1, 0, 255, 0, 0x10, 'y'});  // 4 + 15 + 255 bytes more
  Data file = frame({with_size(block, false)});
  CHECK(find(file, (std::string(574, 'x') + "y").c_str()) == Lz4Result::found);
  CHECK(find(file, std::string(575, 'x').c_str()) == Lz4Result::not_found);
  Data skipped{0x51, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 'a', 'b'};
  Data last = frame({with_size(bytes("end"), true)});
  skipped.insert(skipped.end(), last.begin(), last.end());
  file.insert(file.end(), skipped.begin(), skipped.end());
  CHECK(find(file, "end") == Lz4Result::found);
}

TEST_CASE("malformed LZ4 frames are refused") {
  Data good = frame({with_size({0x25, 'a', 'b', 2, 0, 0x10, 'X'}, false)});
  for (std::size_t n = 1; n < good.size(); ++n) {
    INFO(n);
    CHECK(find(Data(good.begin(), good.begin() + static_cast<long>(n)), "zz") ==
          Lz4Result::malformed);
  }
  CHECK(find(frame({with_size({0x25, 'a', 'b', 0, 0, 0x10, 'X'}, false)}), "zz") ==
        Lz4Result::malformed);  // an offset of 0
  CHECK(find(frame({with_size({0x25, 'a', 'b', 3, 0, 0x10, 'X'}, false)}), "zz") ==
        Lz4Result::malformed);  // before the start
  CHECK(find(frame({with_size({0xf0}, false)}), "zz") == Lz4Result::malformed);
  CHECK(find(frame({with_size({0x30, 'a'}, false)}), "zz") == Lz4Result::malformed);
  Data huge{0x1f, 'a', 1, 0};  // a match of more than a block
  huge.insert(huge.end(), 20000, 255);
  huge.insert(huge.end(), {0, 0x10, 'X'});
  CHECK(find(frame({with_size(huge, false)}), "zz") == Lz4Result::malformed);
}
