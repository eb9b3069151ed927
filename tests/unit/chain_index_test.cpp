// Long chains: what the index of a hash table's rests says is what walking says, for every request
// and also where the table is damaged; and looking everything up reads entries in proportion to
// their number.
#include "rtld/scope/batch.hpp"
#include "rtld/scope/chain_index.hpp"
#include "tests/unit/generated.hpp"

#include <initializer_list>
#include <set>
#include <string>
#include <vector>

using namespace myld;
using elf::Sym;
using generated::Fake;
using generated::Random;
using generated::Table;
using scope::Purpose;
using scope::Request;

namespace {

constexpr std::uint32_t kAlwaysWalk = ~std::uint32_t{0};

/// The patience of look-ups while it exists.
class Patience {
public:
  explicit Patience(std::uint32_t entries) : before_(scope::g_patience) {
    scope::g_patience = entries;
  }
  ~Patience() { scope::g_patience = before_; }
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

private:
  std::uint32_t before_;
};

/// Different names that share a GNU hash: "ab" and "bA" are worth the same.
std::string name_of_one_hash(std::uint32_t number) {
  std::string name;
  for (int bit = 0; bit < 16; ++bit) name += (number >> bit & 1) != 0 ? "bA" : "ab";
  return name;
}

/// A module with memory that goes with it.
struct Made : Fake {
  std::vector<std::string> version_names;
  ~Made() { forget_index(); }
  void forget_index() {
    if (module.rests != nullptr)
      heap::release(module.rests, *static_cast<std::size_t*>(module.rests));
    module.rests = nullptr;
    module.walked = 0;
  }
  bool make_index() {
    scope::note_walked(module, kAlwaysWalk);
    return module.rests != nullptr;
  }
  void add(const std::string& name, std::uint16_t version) {
    Sym s{};
    s.st_name = text(name);
    s.st_info = STB_GLOBAL << 4 | STT_FUNC;
    s.st_shndx = 5;
    s.st_value = 0x1000;
    symbols.push_back(s);
    versym.push_back(version);
  }
  /// Version 2 and on.
  void add_versions(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) version_names.push_back("V_" + std::to_string(i));
    for (int i = 0; i < 2; ++i) REQUIRE(module.versions.push({}));
    for (const std::string& v : version_names)
      REQUIRE(module.versions.push({.name = v.c_str(), .hash = scope::sysv_hash(v.c_str())}));
  }
  void hash(Table table, std::uint32_t buckets) {
    if (table == Table::gnu)
      generated::hash_gnu(*this, 1, buckets);
    else
      generated::hash_sysv(*this, buckets);
    complete();
  }
  void complete() {
    elf::Image& image = module.image;
    image.strings = {strings.data(), strings.size()};
    image.symbols = symbols.data();
    image.symbol_limit = static_cast<std::uint32_t>(symbols.size());
    image.versym = module.versions.empty() ? nullptr : versym.data();
  }
};

/// Some dozens of symbols of a handful of names, most of which share a hash, in many versions, with
/// everything that a symbol or a version index can be.
void fill(Made& m, Random& r, std::uint32_t count) {
  if (!r.one_in(4)) {
    generated::add_versions(m, r);
    // The same name with another hash, and one that stands for none.
    REQUIRE(m.module.versions.push({.name = "V_1", .hash = 1}));
    REQUIRE(m.module.versions.push({}));
  }
  for (std::uint32_t i = 0; i < count; ++i) {
    Sym s = generated::some_symbol(m, r, !r.one_in(6));
    if (!r.one_in(4)) s.st_name = m.text(name_of_one_hash(r.below(6)));
    m.symbols.push_back(s);
    // 0 and 1 are no version, 2 the first, 8 has another's name, 9 none, and 10 is not there.
    auto v = static_cast<std::uint16_t>(r.below(11));
    m.versym.push_back(r.one_in(3) ? v | elf::kVersionHidden : v);
  }
}

/// What a table can be that no linker makes.
void damage(Made& m, Random& r, Table table) {
  auto any = [&](std::vector<std::uint32_t>& v) -> std::uint32_t& {
    return v[r.below(static_cast<std::uint32_t>(v.size()))];
  };
  auto symbol = [&] { return r.below(static_cast<std::uint32_t>(m.symbols.size())); };
  for (std::uint32_t n = 1 + r.below(4); n > 0; --n)
    if (r.one_in(6))
      m.symbols[symbol()].st_name = 1u << 30;  // outside the table
    else if (table == Table::sysv || r.one_in(2))
      any(m.buckets) = symbol();
    else
      any(m.chain) ^= r.one_in(2) ? 1 : 1u << r.below(32);
}

/// Calls visit(request) for what could be asked of a module: one in eight, the same each time.
template <class Visit>
void each_request(Made& m, Visit visit) {
  Random choice{std::mt19937{1}};
  std::set<std::string> names{"no such name", name_of_one_hash(77)};
  for (std::uint32_t i = 1; i < m.symbols.size(); ++i)
    if (const char* name = m.module.image.strings.at(m.symbols[i].st_name); name != nullptr)
      names.insert(name);
  // As dlvsym's: names of its own.
  static const std::string kAsked[] = {"V_1", "V_2", "OTHER_2.3", "V_none"};
  std::vector<elf::Version> versions;
  for (const std::string& v : kAsked)
    versions.push_back({.name = v.c_str(), .hash = scope::sysv_hash(v.c_str())});
  versions.push_back({.name = kAsked[0].c_str(), .hash = 1});
  for (const elf::Version& v : m.module.versions)
    if (v.name != nullptr) versions.push_back(v);
  for (const std::string& name : names)
    for (std::size_t v = 0; v <= versions.size(); ++v)
      for (auto purpose : {Purpose::address, Purpose::call, Purpose::copy})
        for (unsigned flags = 0; flags < 4; ++flags) {
          if (!choice.one_in(8)) continue;
          Request request = Request::of(name.c_str(), v == 0 ? nullptr : &versions[v - 1], purpose);
          request.newest = (flags & 1) != 0;
          request.hidden_version_ok = (flags & 2) != 0;
          visit(request);
        }
}

/// What walking alone finds for every request.
std::vector<const Sym*> by_walking(Made& m) {
  Patience always(kAlwaysWalk);
  std::vector<const Sym*> all;
  each_request(m, [&](const Request& r) { all.push_back(scope::find_in_module(m.module, r)); });
  REQUIRE(m.module.rests == nullptr);
  return all;
}

}  // namespace

TEST_CASE("an index of the rests of chains finds what walking finds") {
  std::size_t found = 0, nothing = 0, indexed = 0, impossible = 0;
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    Random r{std::mt19937{seed}};
    Made m;
    fill(m, r, 10 + r.below(50));
    Table table = r.one_in(3) ? Table::sysv : Table::gnu;
    m.hash(table, 1 + r.below(4));
    bool damaged = r.one_in(3);
    if (damaged) damage(m, r, table);
    std::vector<const Sym*> right = by_walking(m);
    for (std::uint32_t patience : {0, 1, 5}) {
      Patience little(patience);
      m.forget_index();
      // Chains of DT_HASH that go in circles have no index; nobody gets them past read_image().
      if (m.make_index())
        ++indexed;
      else if (damaged && table == Table::sysv)
        ++impossible;
      else
        FAIL("seed " << seed << ": there is no index");
      std::size_t number = 0;
      each_request(m, [&](const Request& request) {
        const Sym* s = scope::find_in_module(m.module, request);
        if (s != right[number])
          FAIL("seed " << seed << ", patience " << patience << ": " << request.name << " version "
                       << (request.version == nullptr ? "-" : request.version->name));
        ++number;
        ++(s != nullptr ? found : nothing);
      });
    }
  }
  CHECK(found > 20000);
  CHECK(nothing > 20000);
  CHECK(indexed > 500);
  CHECK(impossible > 10);
}

TEST_CASE("no index is made of chains of ordinary length") {
  Made m;
  for (std::uint32_t i = 0; i < 2000; ++i) m.add("name" + std::to_string(i), 0);
  SECTION("DT_GNU_HASH") { m.hash(Table::gnu, 200); }
  SECTION("DT_HASH") { m.hash(Table::sysv, 200); }
  for (int round = 0; round < 100; ++round)
    for (std::uint32_t i = 1; i < m.symbols.size(); ++i)
      REQUIRE(scope::find_in_module(m.module, Request::of(m.name(i), nullptr, Purpose::call)) ==
              &m.symbols[i]);
  CHECK(m.module.rests == nullptr);
  CHECK(m.module.walked == 0);
}

namespace {

enum class Slow {
  names_of_one_hash,
  names_in_one_bucket,
  versions,
  hidden_versions,
  not_defined,
  sysv_names,
  sysv_versions
};

void make_slow(Made& m, Slow kind, std::uint32_t count) {
  bool versioned =
      kind == Slow::versions || kind == Slow::hidden_versions || kind == Slow::sysv_versions;
  if (versioned) m.add_versions(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    bool one_hash = kind == Slow::names_of_one_hash || kind == Slow::not_defined;
    auto version = static_cast<std::uint16_t>(versioned ? 2 + i : 0);
    if (kind == Slow::hidden_versions) version |= elf::kVersionHidden;
    m.add(versioned  ? "name"
          : one_hash ? name_of_one_hash(i)
                     : "name" + std::to_string(i),
          version);
    if (kind == Slow::not_defined) m.symbols.back().st_other = STV_HIDDEN;
  }
  m.hash(kind == Slow::sysv_names || kind == Slow::sysv_versions ? Table::sysv : Table::gnu, 1);
}

}  // namespace

TEST_CASE("looking up all of a long chain reads a number of entries for each") {
  auto kind =
      GENERATE(Slow::names_of_one_hash, Slow::names_in_one_bucket, Slow::versions,
               Slow::hidden_versions, Slow::not_defined, Slow::sysv_names, Slow::sysv_versions);
  CAPTURE(static_cast<int>(kind));
  for (std::uint32_t count : {1000, 4000}) {
    Made m;
    make_slow(m, kind, count);
    for (std::uint32_t i = 1; i <= count; ++i) {
      const elf::Version* version = scope::version_of(m.module, i);
      const Sym* s =
          scope::find_in_module(m.module, Request::of(m.name(i), version, Purpose::call));
      if (s != (kind == Slow::not_defined ? nullptr : &m.symbols[i])) FAIL(i << " of " << count);
    }
    // Behind the first ones, which are read each time. The last walk before the index may come on
    // top.
    CHECK(m.module.rests != nullptr);
    CHECK(m.module.walked <= (scope::kWalkedPerSymbol + 2) * count);
  }
}

TEST_CASE("a batch leaves to resolve() what many names of one hash would make slow") {
  constexpr std::uint32_t kOrdinary = 1000;
  // Hundreds of them are nothing yet.
  std::uint32_t count = GENERATE(200u, 4000u);
  Made provider, user;
  for (std::uint32_t i = 0; i < count; ++i) {
    provider.add(name_of_one_hash(i), 0);
    user.add(name_of_one_hash(count - 1 - i), 0);
    user.symbols.back().st_shndx = SHN_UNDEF;
    user.symbols.back().st_value = 0;
  }
  // And others that nothing is wrong with.
  for (Made* m : {&provider, &user})
    for (std::uint32_t i = 0; i < kOrdinary; ++i) {
      m->add("ordinary" + std::to_string(i), 0);
      if (m == &user) m->symbols.back().st_shndx = SHN_UNDEF, m->symbols.back().st_value = 0;
    }
  provider.hash(Table::gnu, 1000);
  user.complete();
  load::Module* modules[] = {&user.module, &provider.module};
  load::Scope global{load::make_list(modules)};
  auto* chain = static_cast<load::ScopeChain*>(
      heap::allocate(sizeof(load::ScopeChain) + sizeof(load::Scope*)));
  chain->count = 1;
  chain->scopes[0] = &global;
  for (load::Module* m : modules) m->scopes = chain;
  {
    scope::Batch batch;
    REQUIRE(batch.prepare(modules, user.symbols.size(), global.list, nullptr));
    for (std::uint32_t i = 1; i < user.symbols.size(); ++i) batch.want(0, i, Purpose::address);
    batch.run();
    std::uint32_t left = 0;
    for (std::uint32_t i = 1; i < user.symbols.size(); ++i) {
      const scope::Batch::Entry* e = batch.find(0, i, Purpose::address);
      scope::Definition right = scope::resolve(user.module, user.symbols[i], i, Purpose::address);
      REQUIRE(right.module == &provider.module);
      if (e == nullptr)
        ++left;
      else
        REQUIRE(e->result().symbol == right.symbol);
      if (i > count) REQUIRE(e != nullptr);
    }
    if (kOrdinary > count)
      CHECK(left == 0);
    else
      CHECK(left > count * 9 / 10);
    CHECK(batch.passed() > 0);
    CHECK(batch.passed() < 30 * std::uint64_t{count + kOrdinary});
  }
  load::release_list(global.list);
  heap::release(chain, sizeof(load::ScopeChain) + sizeof(load::Scope*));
}

TEST_CASE("many versions are asked of many") {
  constexpr std::uint32_t kCount = 3000;
  Made m;
  m.add_versions(kCount);
  auto defines = [&](const char* name, std::uint32_t hash) {
    return m.module.versions.defines(name, hash);
  };
  REQUIRE(m.module.versions.push({.name = "V_needed", .hash = 5, .file = "x"}));
  for (int round = 0; round < 3; ++round) {
    for (std::uint32_t i = 0; i < kCount; ++i) {
      std::string name = "V_" + std::to_string(i);
      REQUIRE(defines(name.c_str(), scope::sysv_hash(name.c_str())));
      if (i % 97 == 0) REQUIRE_FALSE(defines(name.c_str(), 1));
    }
    for (const char* name : {"", "V_", "V_3000", "V_01"})
      REQUIRE_FALSE(defines(name, scope::sysv_hash(name)));
    REQUIRE_FALSE(defines("V_needed", 5));
  }
  // The first ones were looked at one by one.
  CHECK(m.module.versions.looked_at() <= 18 * (kCount + 64));
}
