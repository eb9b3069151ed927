#include "rtld/start/json.hpp"

namespace myld::start {
namespace {

/// Bytes of the UTF-8 sequence at `p`, or 0 if there is none. Source: RFC 3629, section 4.
unsigned utf8_length(const char* p) {
  auto byte = [&](unsigned i) { return static_cast<unsigned char>(p[i]); };
  auto follows = [&](unsigned i) { return (byte(i) & 0xc0) == 0x80; };
  unsigned char c = byte(0);
  if (c < 0x80) return 1;
  if (c >= 0xc2 && c <= 0xdf) return follows(1) ? 2 : 0;
  if (c >= 0xe0 && c <= 0xef) {
    if (!follows(1) || !follows(2)) return 0;
    bool overlong = c == 0xe0 && byte(1) < 0xa0, surrogate = c == 0xed && byte(1) > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (c >= 0xf0 && c <= 0xf4) {
    if (!follows(1) || !follows(2) || !follows(3)) return 0;
    bool overlong = c == 0xf0 && byte(1) < 0x90, beyond = c == 0xf4 && byte(1) > 0x8f;
    return overlong || beyond ? 0 : 4;
  }
  return 0;
}

}  // namespace

void Json::quote(const char* text) {
  out_ << '"';
  while (*text != 0) {
    auto c = static_cast<unsigned char>(*text);
    unsigned n = utf8_length(text);
    // '<' is written as its number too, so that the text can stand in an HTML script.
    if (n == 0 || c < ' ' || c == '<') {
      out_ << "\\u" << sys::BareHex{c, 4};
      ++text;
    } else if (c == '"' || c == '\\') {
      out_ << '\\' << *text++;
    } else {
      for (; n != 0; --n) out_ << *text++;
    }
  }
  out_ << '"';
}

}  // namespace myld::start
