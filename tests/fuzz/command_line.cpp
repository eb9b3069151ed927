// The loader's own options, one argument for each string of the input.
#include "rtld/start/command_line.hpp"

#include "rtld/start/environment.hpp"
#include "tests/fuzz/heap.hpp"
#include "tests/fuzz/input.hpp"

#include <optional>

using namespace myld;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> words = {"myld"};
  for (const std::string& each : fuzz::strings_of({data, size})) words.push_back(each);
  fuzz::Words argv(words);
  std::optional<Runtime> r(std::in_place);
  r->argc = argv.count();
  r->argv = argv.data();
  start::CommandLine line = start::parse(*r);
  FUZZ_EXPECT(line.program_index >= 0 && line.program_index < argv.count());
  // What is before the program's name is an option; what follows is the program's.
  if (line.program_index != 0) {
    const char* before = r->argv[line.program_index - 1];
    bool plain = r->argv[line.program_index][0] != '-' || r->argv[line.program_index][1] != '-';
    FUZZ_EXPECT(plain || std::strcmp(before, "--") == 0);
  }
  if (r->options.allow != nullptr) fuzz::read_all(start::allow(r->loader.policy, r->options.allow));
  for (const char* value : {r->options.config, r->options.explain, r->options.argv0,
                            r->options.preload_option, r->options.audit_option})
    fuzz::read_all(value);
  r.reset();
  fuzz::release_everything();
  return 0;
}
