#include "rtld/glibc/message.hpp"
#include "tests/unit/catch.hpp"

#include <climits>
#include <cstdio>
#include <string>

namespace {

std::string ours(const char* format, ...) {
  char text[200];
  std::va_list arguments;
  va_start(arguments, format);
  std::size_t size = myld::glibc::format_message(text, format, arguments);
  va_end(arguments);
  CHECK(size == std::string(text).size());
  return text;
}

std::size_t into(std::span<char> out, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::size_t size = myld::glibc::format_message(out, format, arguments);
  va_end(arguments);
  return size;
}

template <class... A>
std::string theirs(const char* format, A... arguments) {
  char text[200];
  std::snprintf(text, sizeof text, format, arguments...);
  return text;
}

}  // namespace

#define SAME(...) CHECK(ours(__VA_ARGS__) == theirs(__VA_ARGS__))

TEST_CASE("formats of libc's messages give what printf gives") {
  SAME("%s: %s", "a", "b");
  SAME("%s", "");
  SAME("100%% of %u", 7u);
  SAME("%d %d %d", 0, INT_MIN, INT_MAX);
  SAME("%ld %ld", LONG_MIN, LONG_MAX);
  SAME("%lu %zu %x %lX", ULONG_MAX, std::size_t{5}, 0xabcu, 0xfedcba9876543210ul);
  SAME("[%5d] [%-5d] [%05d] [%05d]", 42, 42, 42, -42);
  SAME("[%*d] [%*d] [%0*lx]", 6, 1, -6, 1, 16, 0x1234ul);
  SAME("[%.3s] [%10.2s] [%-10s] [%.*s]", "abcdef", "abcdef", "ab", 1, "xyz");
  SAME("[%.3d] [%8.3d] [%.0d] [%.*u]", 5, -5, 0, 4, 9u);
  SAME("%hhu %hd %c[%3c]", 0x1ffu, 0x18000, 'x', 'y');
  SAME("%p", reinterpret_cast<void*>(0x1234));
}

TEST_CASE("a null string, an unknown conversion, the end in the middle of one") {
  CHECK(ours("%s", static_cast<const char*>(nullptr)) == "(null)");
  CHECK(ours("%q %5", 1) == "%q %5");
}

TEST_CASE("what does not fit is cut, and its size told") {
  char text[4] = {'x', 'x', 'x', 'x'};
  CHECK(into(text, "%s", "abcdef") == 6);
  CHECK(std::string(text) == "abc");
  CHECK(into({}, "%d", 12345) == 5);
}
