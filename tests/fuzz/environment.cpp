// The environment: the first byte says whether the process is a secure one, and of which release
// its libc is; the rest are variables.
#include "rtld/start/environment.hpp"

#include "rtld/glibc/tunables.hpp"
#include "tests/fuzz/heap.hpp"
#include "tests/fuzz/input.hpp"

#include <optional>

using namespace myld;

namespace {

bool is_of_the_loader(const std::string& entry) {
  return entry.starts_with("LD_") || entry.starts_with("MYLD_") ||
         entry.starts_with("GLIBC_TUNABLES=");
}

/// In secure execution the loader's variables are gone, and the others stay in their order.
void check_secure(char** kept, const std::vector<std::string>& before) {
  std::size_t at = 0;
  for (char** e = kept; *e != nullptr; ++e) {
    FUZZ_EXPECT(!is_of_the_loader(*e));
    while (at < before.size() && before[at] != *e) ++at;
    FUZZ_EXPECT(at++ < before.size());
  }
}

/// The search paths that the variables and a file's dynamic section give, taken apart.
void split_paths(Runtime& r, const std::vector<std::string>& words) {
  find::Searcher& searcher = r.loader.searcher;
  searcher.config.secure = r.secure;
  find::Requester requester;
  requester.path = "/o/lib.so";
  requester.origin = "/o";
  requester.runpath = words.empty() ? nullptr : words[0].c_str();
  requester.rpath = words.empty() ? nullptr : words.back().c_str();
  (void)searcher.library_path();
  (void)searcher.runpath(requester);
  (void)searcher.rpath(requester);
  for (const std::string& w : words)
    fuzz::read_all(searcher.expand(w.c_str(), w.size(), &requester));
}

void ask(glibc::Tunables& t) {
  for (unsigned key = 1; key < std::size(glibc::kTunableKeyNames); ++key) {
    auto k = static_cast<glibc::TunableKey>(key);
    (void)t.number(k, 0);
    for (char c : t.string(k)) (void)c;
    if (t.is_set(k)) t.set(k, 7, 0, 100);
  }
  for (unsigned id = 0; id < glibc::Tunables::kMaxIds; ++id)
    for (bool wide : {false, true}) {
      std::uint64_t out[2] = {};
      t.get_val(id, out, nullptr, wide);
      (void)t.is_initialized(id);
    }
}

void read_tunables(char** envp, bool secure, unsigned table) {
  const glibc::Known& known = glibc::host_known();
  glibc::TunableWarning warning{[](void*, const char* name, std::string_view value) {
                                  fuzz::read_all(name);
                                  for (char c : value) (void)c;
                                },
                                nullptr};
  static glibc::Tunables tunables;
  tunables = {};
  tunables.init(known, glibc::kTunableKeys, envp, secure, warning);
  ask(tunables);
  if (tunables.bind(table, table % 2 == 0, envp)) ask(tunables);
  tunables.print([](void*, std::string_view) {}, nullptr);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::vector<std::string> words = fuzz::strings_of({data + 1, size - 1});
  fuzz::Words environment(words);
  std::optional<Runtime> r(std::in_place);
  r->secure = (data[0] & 1) != 0;
  r->envp = environment.data();
  read_tunables(r->envp, r->secure, data[0] >> 1);
  start::read_environment(*r);
  if (r->secure) check_secure(r->envp, words);
  const Options& o = r->options;
  for (const char* value : {o.preload, o.audit, o.debug, o.debug_output, o.origin_path, o.profile,
                            o.profile_output, r->loader.searcher.config.library_path})
    fuzz::read_all(value);
  split_paths(*r, words);
  if (o.allow != nullptr) fuzz::read_all(start::allow(r->loader.policy, o.allow));
  r.reset();
  fuzz::release_everything();
  return 0;
}
