// PROGRAM.myld.conf.
#include "rtld/start/config_text.hpp"

#include "tests/fuzz/heap.hpp"
#include "tests/fuzz/input.hpp"

#include <optional>

using namespace myld;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::optional<Runtime> r(std::in_place);
  // In a block of its own length: the text of a file has no NUL behind it.
  std::vector<char> text(data, data + size);
  if (size != 0 && data[size - 1] < 16) fuzz::fail_after(data[size - 1]);
  Status s{};
  {
    Vec<char*> environment;
    s = start::parse_config(*r, "/dir/prog.myld.conf", "/dir", {text.data(), text.size()},
                            environment);
    for (const char* entry : environment) FUZZ_EXPECT(find_char(entry, '=') != nullptr);
  }
  find::Config& c = r->loader.searcher.config;
  fuzz::read_all(c.directories);
  fuzz::read_all(r->options.preload_configured);
  fuzz::read_all(r->options.binding);
  if (s.ok()) {
    FUZZ_EXPECT(r->options.tls_surplus <= std::uint64_t{1} << 30);
    for (const find::Mapped& m : c.map) {
      FUZZ_EXPECT(fuzz::read_all(m.name) != 0);
      FUZZ_EXPECT(fuzz::read_all(m.path) != 0);
    }
  } else {
    FUZZ_EXPECT(s.error().code == Code::bad_config || s.error().code == Code::out_of_memory);
  }
  fuzz::release_everything();
  return 0;
}
