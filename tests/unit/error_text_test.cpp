#include "loader/base/error.hpp"
#include "tests/unit/catch.hpp"

#include <string>

using myld::Code;
using myld::Error;

namespace {

std::string text(const Error& e, std::size_t capacity = 1024) {
  std::string buffer(capacity, '#');
  std::size_t n = myld::render(e, buffer.data(), capacity);
  REQUIRE(buffer[n] == 0);
  buffer.resize(n);
  return buffer;
}

}  // namespace

TEST_CASE("texts that programs parse") {
  CHECK(text({.code = Code::cannot_open, .sys_errno = 2, .object = "libx.so"}) ==
        "libx.so: cannot open shared object file: No such file or directory");
  CHECK(text({.code = Code::undefined_symbol, .object = "./liba.so", .subject = "foo"}) ==
        "./liba.so: undefined symbol: foo");
  CHECK(text({.code = Code::undefined_symbol,
              .object = "./liba.so",
              .subject = "foo",
              .detail = "V_2"}) == "./liba.so: undefined symbol: foo, version V_2");
  CHECK(text({.code = Code::version_not_found,
              .object = "/lib/libc.so.6",
              .subject = "GLIBC_2.99",
              .detail = "./prog"}) ==
        "/lib/libc.so.6: version `GLIBC_2.99' not found (required by ./prog)");
}

TEST_CASE("who needs a missing file is told") {
  CHECK(text({.code = Code::cannot_open, .sys_errno = 2, .object = "libx.so", .detail = "./p"}) ==
        "libx.so: cannot open shared object file: No such file or directory (needed by ./p)");
}

TEST_CASE("a text that does not fit is cut and marked") {
  std::string name(300, 'n');
  std::string cut =
      text({.code = Code::undefined_symbol, .object = "o", .subject = name.c_str()}, 64);
  CHECK(cut.size() == 63);
  CHECK(cut.substr(60) == "...");
}

TEST_CASE("every code has a text of its own and tolerates missing strings") {
  for (int code = 1; code <= static_cast<int>(Code::preload_ignored); ++code) {
    std::string t = text({.code = static_cast<Code>(code)});
    INFO(code << ": " << t);
    CHECK(t != ": error");
    CHECK(!t.empty());
  }
}
