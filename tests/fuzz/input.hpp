// What the targets share: a cursor over the input's bytes, and the way to say that what the loader
// promised is not so.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace myld::fuzz {

/// Ends the run as a finding.
#define FUZZ_EXPECT(condition)                                                                     \
  do {                                                                                             \
    if (!(condition)) std::abort();                                                                \
  } while (false)

/// The input's strings: what is between its NUL bytes, each in a buffer of its own length.
inline std::vector<std::string> strings_of(std::span<const std::uint8_t> input) {
  std::vector<std::string> out;
  std::string one;
  for (std::uint8_t c : input) {
    if (c != 0) {
      one += static_cast<char>(c);
      continue;
    }
    out.push_back(one);
    one.clear();
  }
  if (!one.empty()) out.push_back(one);
  return out;
}

/// Strings as main() gets them: an array that ends with a null pointer. Each string is a block of
/// its own, so that the sanitizer sees its end.
class Words {
public:
  explicit Words(const std::vector<std::string>& words) {
    for (const std::string& w : words) {
      blocks_.emplace_back(new char[w.size() + 1]);
      std::memcpy(blocks_.back(), w.c_str(), w.size() + 1);
      pointers_.push_back(blocks_.back());
    }
    pointers_.push_back(nullptr);
  }
  ~Words() {
    for (char* b : blocks_) delete[] b;
  }
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;

  char** data() { return pointers_.data(); }
  int count() const { return static_cast<int>(blocks_.size()); }

private:
  std::vector<char*> blocks_, pointers_;
};

/// A place for a string's bytes to be read, so that reading past its end is seen.
inline std::size_t read_all(const char* text) { return text == nullptr ? 0 : std::strlen(text); }

}  // namespace myld::fuzz
