#include "rtld/glibc/message.hpp"

#include "loader/base/mem.hpp"

#include <cstdint>

namespace myld::glibc {
namespace {

/// The arguments that are left. In a structure, since a va_list is an array on some ISAs and so
/// cannot be passed by reference.
struct Arguments {
  std::va_list list;
};

class Output {
public:
  explicit Output(std::span<char> out) : out_(out) {}
  void put(char c) {
    if (size_ + 1 < out_.size()) out_[size_] = c;
    ++size_;
  }
  void fill(char c, std::size_t count) {
    while (count-- != 0) put(c);
  }
  std::size_t finish() {
    if (!out_.empty()) out_[size_ < out_.size() ? size_ : out_.size() - 1] = 0;
    return size_;
  }

private:
  std::span<char> out_;
  std::size_t size_ = 0;
};

struct Conversion {
  bool zeros = false, left = false, has_precision = false;
  std::size_t width = 0, precision = 0;
  enum Size : std::uint8_t { kInt, kChar, kShort, kLong } size = kInt;
  char letter = 0;
};

std::size_t number(const char*& p, Arguments& a, bool& negative) {
  if (*p == '*') {
    ++p;
    long value = va_arg(a.list, int);
    negative = value < 0;
    return static_cast<std::size_t>(negative ? -value : value);
  }
  std::size_t value = 0;
  while (*p >= '0' && *p <= '9') value = value * 10 + static_cast<std::size_t>(*p++ - '0');
  return value;
}

/// Reads what follows a '%'. `p` is left behind the letter.
Conversion parse(const char*& p, Arguments& a) {
  Conversion c;
  for (; *p == '0' || *p == '-'; ++p) (*p == '0' ? c.zeros : c.left) = true;
  bool negative = false;
  c.width = number(p, a, negative);
  c.left = c.left || negative;
  if (*p == '.') {
    ++p;
    negative = false;
    c.precision = number(p, a, negative);
    c.has_precision = !negative;
  }
  for (;; ++p) {
    if (*p == 'h')
      c.size = c.size == Conversion::kShort ? Conversion::kChar : Conversion::kShort;
    else if (*p == 'l' || *p == 'z' || *p == 't' || *p == 'j')
      c.size = Conversion::kLong;
    else
      break;
  }
  c.letter = *p;
  if (*p != 0) ++p;
  return c;
}

/// `sign` (or nothing), zeros up to the precision, the text; blanks or zeros up to the width.
void pad(Output& out, const Conversion& c, const char* sign, const char* text, std::size_t size) {
  std::size_t zeros =
      c.has_precision && c.letter != 's' && c.precision > size ? c.precision - size : 0;
  std::size_t all = strlen(sign) + zeros + size;
  std::size_t blanks = c.width > all ? c.width - all : 0;
  bool zero_fill = c.zeros && !c.left && !c.has_precision && c.letter != 's' && c.letter != 'c';
  if (zero_fill) zeros += blanks;
  if (!c.left && !zero_fill) out.fill(' ', blanks);
  for (; *sign != 0; ++sign) out.put(*sign);
  out.fill('0', zeros);
  for (std::size_t i = 0; i < size; ++i) out.put(text[i]);
  if (c.left) out.fill(' ', blanks);
}

void put_unsigned(
    Output& out, const Conversion& c, const char* sign, std::uint64_t value, unsigned base) {
  const char* alphabet = c.letter == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  char digits[20];
  std::size_t at = sizeof digits;
  for (; value != 0 || (at == sizeof digits && !(c.has_precision && c.precision == 0));
       value /= base)
    digits[--at] = alphabet[value % base];
  pad(out, c, sign, digits + at, sizeof digits - at);
}

std::uint64_t take_unsigned(const Conversion& c, Arguments& a) {
  if (c.size == Conversion::kLong) return va_arg(a.list, unsigned long);
  unsigned value = va_arg(a.list, unsigned);
  if (c.size == Conversion::kShort) return static_cast<unsigned short>(value);
  return c.size == Conversion::kChar ? static_cast<unsigned char>(value) : value;
}

std::int64_t take_signed(const Conversion& c, Arguments& a) {
  if (c.size == Conversion::kLong) return va_arg(a.list, long);
  int value = va_arg(a.list, int);
  if (c.size == Conversion::kShort) return static_cast<short>(value);
  return c.size == Conversion::kChar ? static_cast<signed char>(value) : value;
}

void put_string(Output& out, const Conversion& c, const char* s) {
  if (s == nullptr) s = "(null)";
  std::size_t size = 0;  // the text may end at the precision without a NUL
  while (!(c.has_precision && size >= c.precision) && s[size] != 0) ++size;
  pad(out, c, "", s, size);
}

/// False: no conversion that is known.
bool convert(Output& out, const Conversion& c, Arguments& a) {
  switch (c.letter) {
  case '%': out.put('%'); return true;
  case 's': put_string(out, c, va_arg(a.list, const char*)); return true;
  case 'c': {
    char character = static_cast<char>(va_arg(a.list, int));
    pad(out, c, "", &character, 1);
    return true;
  }
  case 'u': put_unsigned(out, c, "", take_unsigned(c, a), 10); return true;
  case 'x':
  case 'X': put_unsigned(out, c, "", take_unsigned(c, a), 16); return true;
  case 'p':
    put_unsigned(out, c, "0x", reinterpret_cast<std::uintptr_t>(va_arg(a.list, void*)), 16);
    return true;
  case 'd':
  case 'i': {
    std::int64_t value = take_signed(c, a);
    auto bits = static_cast<std::uint64_t>(value);
    put_unsigned(out, c, value < 0 ? "-" : "", value < 0 ? 0 - bits : bits, 10);
    return true;
  }
  default: return false;
  }
}

}  // namespace

std::size_t format_message(std::span<char> out, const char* format, std::va_list arguments) {
  Output output(out);
  Arguments a;
  va_copy(a.list, arguments);
  for (const char* p = format; *p != 0;) {
    if (*p != '%') {
      output.put(*p++);
      continue;
    }
    const char* begin = p++;
    Conversion c = parse(p, a);
    if (!convert(output, c, a))
      for (; begin != p; ++begin) output.put(*begin);
  }
  va_end(a.list);
  return output.finish();
}

}  // namespace myld::glibc
