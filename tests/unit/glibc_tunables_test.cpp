// rtld/glibc/tunables: what an environment sets, and what libc and the loader are told of it.

#include "rtld/glibc/tunables.hpp"
#include "tests/unit/catch.hpp"

#include <cstring>
#include <string>
#include <vector>

using namespace myld::glibc;

namespace {

struct Told {
  std::vector<std::string> warnings;
  static void tell(void* context, const char* name, std::string_view value) {
    static_cast<Told*>(context)->warnings.push_back(std::string(name ? name : "whole") + " " +
                                                    std::string(value));
  }
};

/// An environment, and tunables that have read it.
struct Read {
  explicit Read(std::vector<std::string> env, bool secure = false) : entries(std::move(env)) {
    for (const std::string& entry : entries) envp.push_back(entry.c_str());
    envp.push_back(nullptr);
    tunables.init(host_known(), kTunableKeys, envp.data(), secure, {&Told::tell, &told});
  }
  std::vector<std::string> entries;
  std::vector<const char*> envp;
  Told told;
  Tunables tunables;
};

Read list(const std::string& value) { return Read({"PATH=/bin", "GLIBC_TUNABLES=" + value}); }

/// Index of a tunable's id in the last table, which init() binds.
unsigned id_of(std::string_view name, const TunableTable& table) {
  for (unsigned id = 0; id < table.count; ++id) {
    if (name == host_known().tunables[table.entry[id]].name) return id;
  }
  FAIL("no tunable " << name);
  return 0;
}

constexpr std::uint64_t kNoSuch = 77;

std::uint64_t nns(const Tunables& tunables) {
  return tunables.number(TunableKey::rtld_nns, kNoSuch);
}

/// The layout of some release that the host's tables have.
const Layout& layout_of(unsigned minor) {
  for (const Layout& layout : host_known().layouts) {
    if (layout.minor == minor) return layout;
  }
  FAIL("no layout of 2." << minor);
  return host_known().layouts[0];
}

TunableValue g_called;
int g_calls = 0;
void callback(TunableValue* value) {
  g_called = *value;
  ++g_calls;
}

}  // namespace

TEST_CASE("an empty environment leaves every tunable at its default") {
  Read read({"PATH=/bin", "LANG=C", "MAIL=x", "GLOBAL=1"});
  CHECK(nns(read.tunables) == 4);
  CHECK(read.tunables.number(TunableKey::rtld_optional_static_tls, 0) == 512);
  CHECK(read.tunables.number(TunableKey::pthread_rseq, 0) == 1);
  CHECK_FALSE(read.tunables.is_set(TunableKey::rtld_nns));
  CHECK(read.tunables.string(TunableKey::cpu_hwcaps).empty());
  CHECK(read.told.warnings.empty());
}

TEST_CASE("GLIBC_TUNABLES sets what it names, the last assignment of a name wins") {
  Read read = list("glibc.rtld.nns=5:glibc.pthread.rseq=0:glibc.rtld.nns=0x7");
  CHECK(nns(read.tunables) == 7);
  CHECK(read.tunables.number(TunableKey::pthread_rseq, kNoSuch) == 0);
  CHECK(read.tunables.is_set(TunableKey::pthread_rseq));
  CHECK(read.told.warnings.empty());
}

TEST_CASE("numbers are decimal, octal or hexadecimal, to the last character") {
  CHECK(nns(list("glibc.rtld.nns=010").tunables) == 8);
  CHECK(nns(list("glibc.rtld.nns=0xA").tunables) == 10);
  CHECK(nns(list("glibc.rtld.nns= +9").tunables) == 9);
  for (const char* bad :
       {"", "x", "5 ", "5k", "0x1g", "08", "`", "5@", "-", "99999999999999999999"}) {
    Read read = list(std::string("glibc.rtld.nns=") + bad + ":glibc.pthread.rseq=0");
    INFO(bad);
    CHECK(nns(read.tunables) == 4);
    CHECK(read.tunables.number(TunableKey::pthread_rseq, kNoSuch) == 0);  // the others still count
    REQUIRE(read.told.warnings.size() == 1);
    CHECK(read.told.warnings[0] == std::string("glibc.rtld.nns ") + bad);
  }
}

TEST_CASE("a number out of bounds is ignored without a word") {
  for (const char* bad : {"0", "17", "-1"}) {  // 1 to 16 are allowed
    Read read = list(std::string("glibc.rtld.nns=") + bad);
    CHECK(nns(read.tunables) == 4);
    CHECK_FALSE(read.tunables.is_set(TunableKey::rtld_nns));
    CHECK(read.told.warnings.empty());
  }
  // The bounds of an int_32 are signed ones.
  CHECK(list("glibc.pthread.rseq=-1").tunables.number(TunableKey::pthread_rseq, kNoSuch) == 1);
}

TEST_CASE("a syntax error makes the whole list count for nothing") {
  for (const char* bad : {"glibc.rtld.nns=5:glibc", "glibc.rtld.nns=5:", "glibc.rtld.nns=5=6",
                          "glibc.rtld.nns", ":"}) {
    Read read = list(bad);
    INFO(bad);
    CHECK(nns(read.tunables) == 4);
    REQUIRE(read.told.warnings.size() == 1);
    CHECK(read.told.warnings[0] == std::string("whole ") + bad);
  }
}

TEST_CASE("unknown names and items without a value in the middle are passed over") {
  Read read = list("glibc.rtld.nn=9:nothing:glibc.rtld.nnss=9::glibc.rtld.nns=6");
  CHECK(nns(read.tunables) == 6);
  CHECK(read.told.warnings.empty());
}

TEST_CASE("a string ends at the next colon") {
  Read read = list("glibc.cpu.hwcaps=-AVX2,Prefer_ERMS:glibc.rtld.nns=6");
  if (read.tunables.string(TunableKey::cpu_hwcaps).empty()) return;  // this ISA has no such tunable
  CHECK(read.tunables.string(TunableKey::cpu_hwcaps) == "-AVX2,Prefer_ERMS");
}

TEST_CASE("old environment variables are aliases, and give way to GLIBC_TUNABLES") {
  const TunableTable& table = host_known().tunable_tables.back();
  unsigned arena_max = id_of("glibc.malloc.arena_max", table);
  auto value = [&](Read&& read) {
    REQUIRE(read.tunables.bind(static_cast<unsigned>(host_known().tunable_tables.size()) - 1, true,
                               read.envp.data()));
    std::uint64_t out = kNoSuch;
    read.tunables.get_val(arena_max, &out, nullptr, true);
    return out;
  };
  CHECK(value(Read({"MALLOC_ARENA_MAX=3"})) == 3);
  CHECK(value(Read({"MALLOC_ARENA_MAX=3", "GLIBC_TUNABLES=glibc.malloc.arena_max=2"})) == 2);
  CHECK(value(Read({"GLIBC_TUNABLES=glibc.malloc.arena_max=2", "MALLOC_ARENA_MAX=3"})) == 2);
  CHECK(value(Read({"MALLOC_ARENA_MAXIMUM=3"})) == 0);
  CHECK(value(Read({"MALLOC_ARENA_MAX"})) == 0);

  Read bad({"MALLOC_ARENA_MAX=many"});
  REQUIRE(bad.told.warnings.size() == 1);
  CHECK(bad.told.warnings[0] == "glibc.malloc.arena_max many");
}

TEST_CASE("in secure mode nothing is read, and a tunable can ask for that") {
  Read secure({"GLIBC_TUNABLES=glibc.rtld.nns=9", "MALLOC_ARENA_MAX=3"}, true);
  CHECK(nns(secure.tunables) == 4);
  CHECK_FALSE(secure.tunables.asks_for_secure_mode());

  Read asked({"MALLOC_ARENA_MAX=3", "GLIBC_TUNABLES=glibc.rtld.nns=9:glibc.rtld.enable_secure=1"});
  CHECK(asked.tunables.asks_for_secure_mode());
  CHECK(nns(asked.tunables) == 4);
  // Nor does anything count by the table of a release that does not know the tunable.
  REQUIRE(asked.tunables.bind(layout_of(36).tunables, true, asked.envp.data()));
  CHECK(nns(asked.tunables) == 4);
  CHECK_FALSE(list("glibc.rtld.enable_secure=0").tunables.asks_for_secure_mode());
}

TEST_CASE("libc is told by the ids of its own release, in the width of the type") {
  // Ids of 2.36 are in the order of a hash, those of 2.41 by name: the same id means another thing.
  for (unsigned minor : {36u, 41u}) {
    const Layout& layout = layout_of(minor);
    const TunableTable& table = host_known().tunable_tables[layout.tunables];
    Read read = list("glibc.malloc.check=2:glibc.malloc.mxfast=0x123456789");
    REQUIRE(read.tunables.bind(layout.tunables, true, read.envp.data()));

    std::uint32_t words[2] = {0xdead, 0xbeef};
    g_calls = 0;
    read.tunables.get_val(id_of("glibc.malloc.check", table), words, callback, false);
    CHECK(words[0] == 2);
    CHECK(words[1] == 0xbeef);  // four bytes, no more: libc has an int there
    CHECK(g_calls == 1);
    CHECK(g_called.number_or_address == 2);

    std::uint64_t wide = 0;
    read.tunables.get_val(id_of("glibc.malloc.mxfast", table), &wide, callback, false);
    CHECK(wide == 0x123456789);

    // Not set: the default is stored, and the callback is not called.
    g_calls = 0;
    read.tunables.get_val(id_of("glibc.pthread.mutex_spin_count", table), words, callback, false);
    CHECK(words[0] == 100);
    CHECK(g_calls == 0);
    CHECK_FALSE(read.tunables.is_initialized(id_of("glibc.pthread.mutex_spin_count", table)));
    CHECK(read.tunables.is_initialized(id_of("glibc.malloc.check", table)));

    // An id beyond the table touches nothing.
    wide = kNoSuch;
    read.tunables.get_val(table.count, &wide, callback, false);
    CHECK(wide == kNoSuch);
    CHECK_FALSE(read.tunables.is_initialized(table.count));
  }
}

TEST_CASE("where the table is uncertain libc is told nothing, the loader still is") {
  const Layout& layout = layout_of(36);
  Read read = list("glibc.malloc.check=2:glibc.rtld.nns=6");
  REQUIRE(read.tunables.bind(layout.tunables, false, read.envp.data()));
  std::uint64_t out = kNoSuch;
  g_calls = 0;
  for (unsigned id = 0; id < Tunables::kMaxIds; ++id) {
    read.tunables.get_val(id, &out, callback, true);
    CHECK_FALSE(read.tunables.is_initialized(id));
  }
  CHECK(out == kNoSuch);
  CHECK(g_calls == 0);
  CHECK(nns(read.tunables) == 6);
  CHECK_FALSE(read.tunables.bind(200, true, read.envp.data()));
}

TEST_CASE("what the loader stores narrows the bounds and counts as set") {
  Read read({});
  Tunables& tunables = read.tunables;
  tunables.set(TunableKey::rtld_nns, 5, 2, 100);
  CHECK(nns(tunables) == 5);
  tunables.set(TunableKey::rtld_nns, 1, 1, 16);  // below the bound that is now 2
  CHECK(nns(tunables) == 5);
  std::string text;
  tunables.print(
      [](void* to, std::string_view piece) { static_cast<std::string*>(to)->append(piece); },
      &text);
  CHECK(text.find("glibc.rtld.nns: 0x5 (min: 0x2, max: 0x10)\n") != std::string::npos);
  CHECK(text.find("glibc.gmon.minarcs: 50 (min: 50, max: 2147483647)\n") != std::string::npos);
}
