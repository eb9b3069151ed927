// Batch and resolve() on generated closures: every reference of every module must come to the same.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "rtld/scope/batch.hpp"
#include "rtld/scope/name_index.hpp"
#include "tests/unit/generated.hpp"

using namespace myld;
using elf::Sym;
using scope::Purpose;

using generated::Fake;
using generated::Random;

namespace {

struct Closure {
  load::Namespace ns;
  std::vector<std::unique_ptr<Fake>> fakes;
  std::vector<load::Module*> modules;
  load::Scope global, group;
  load::ScopeChain* chain = nullptr;
  std::vector<load::ScopeChain*> own_chains;  ///< of modules that look at themselves first

  explicit Closure(Random& r) {
    for (std::uint32_t n = 1 + r.below(7); n > 0; --n) {
      fakes.push_back(generated::make_module(r, ns, [](Fake&, auto) {}));
      modules.push_back(&fakes.back()->module);
    }
    auto split = static_cast<std::size_t>(
        r.one_in(3) ? r.below(static_cast<std::uint32_t>(modules.size()) + 1) : modules.size());
    global.list = load::make_list(std::span<load::Module* const>(modules).first(split));
    group.list = load::make_list(std::span<load::Module* const>(modules).subspan(split));
    chain = static_cast<load::ScopeChain*>(
        heap::allocate(sizeof(load::ScopeChain) + 2 * sizeof(load::Scope*)));
    chain->count = 2;
    chain->scopes[0] = &global;
    chain->scopes[1] = &group;
    for (load::Module* m : modules) {
      m->scopes = chain;
      m->leaving = r.one_in(20);
      if (r.one_in(6)) look_at_itself_first(*m);
    }
  }
  Closure(const Closure&) = delete;
  Closure& operator=(const Closure&) = delete;
  ~Closure() {
    for (auto& f : fakes) scope::forget_unique(f->module);
    load::release_list(global.list);
    load::release_list(group.list);
    heap::release(chain, sizeof(load::ScopeChain) + 2 * sizeof(load::Scope*));
    for (load::Module* m : modules) load::release_list(m->own.list);
    for (load::ScopeChain* each : own_chains)
      heap::release(each, sizeof(load::ScopeChain) + 3 * sizeof(load::Scope*));
  }

  void look_at_itself_first(load::Module& m) {
    load::Module* self = &m;
    m.own.list = load::make_list({&self, 1});
    auto* own = static_cast<load::ScopeChain*>(
        heap::allocate(sizeof(load::ScopeChain) + 3 * sizeof(load::Scope*)));
    own->count = 3;
    own->scopes[0] = &m.own;
    own->scopes[1] = &global;
    own->scopes[2] = &group;
    m.scopes = own;
    own_chains.push_back(own);
  }
};

}  // namespace

TEST_CASE("hash_of_name is gnu_hash, same_name is equality") {
  Random r{std::mt19937{7}};
  // At the end of a page, in the middle, and with every length.
  std::vector<char> page(3 * 4096, 'x');
  auto* start = reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(page.data()) + 4095) &
                                        ~std::uintptr_t{4095});
  for (std::size_t length = 0; length < 40; ++length)
    for (std::size_t back = 0; back < 50; ++back) {
      char* a = start + 4096 - back;
      for (std::size_t i = 0; i < length; ++i) a[i] = static_cast<char>(1 + r.below(255));
      a[length] = 0;
      REQUIRE(scope::hash_of_name(a) == scope::gnu_hash(a));
      std::string b(a);
      REQUIRE(scope::same_name(a, b.c_str()));
      if (length == 0) continue;
      b[r.below(static_cast<std::uint32_t>(length))] ^= 0x40;
      REQUIRE(scope::same_name(a, b.c_str()) == (std::strcmp(a, b.c_str()) == 0));
      b.assign(a, length - 1);
      REQUIRE_FALSE(scope::same_name(a, b.c_str()));
      REQUIRE_FALSE(scope::same_name(b.c_str(), a));
    }
}

TEST_CASE("a batch finds what resolve() finds") {
  std::size_t known = 0, found = 0, nothing = 0, depends = 0, settled = 0, by_itself = 0;
  for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
    Random r{std::mt19937{seed}};
    Closure closure(r);
    scope::Batch batch;
    std::uint64_t references = 0;
    for (load::Module* m : closure.modules) references += 2 * m->image.symbol_limit;
    REQUIRE(batch.prepare(closure.modules, references, closure.global.list, closure.group.list));
    auto each_reference = [&](auto visit) {
      Random choice{std::mt19937{seed + 1000000}};
      for (std::uint32_t u = 0; u < closure.modules.size(); ++u)
        for (std::uint32_t i = 1; i < closure.modules[u]->image.symbol_limit; ++i)
          for (Purpose p : {Purpose::address, Purpose::call})
            if (!choice.one_in(3)) visit(u, i, p);
    };
    each_reference([&](auto u, auto i, auto p) { batch.want(u, i, p); });
    batch.run();
    each_reference([&](auto u, auto i, auto p) {
      load::Module& m = *closure.modules[u];
      if (m.leaving) return;  // never relocated
      const Sym& s = m.image.symbols[i];
      CAPTURE(seed, u, i, static_cast<int>(p), closure.fakes[u]->name(i));
      const scope::Batch::Entry* e = batch.find(u, i, p);
      if (e == nullptr) {
        ++depends;
        return;
      }
      // What a binding file keeps: without an effect, and by both ways the same.
      std::size_t unique = closure.ns.unique.size();
      scope::Definition chosen = scope::choose(m, s, e->result()),
                        walked = scope::look_up(m, s, i, p);
      REQUIRE(chosen.module == walked.module);
      REQUIRE(chosen.symbol == walked.symbol);
      REQUIRE(closure.ns.unique.size() == unique);
      scope::Definition quick = scope::conclude(m, s, p, e->result());
      scope::Definition right = scope::resolve(m, s, i, p);
      REQUIRE(quick.module == right.module);
      REQUIRE(quick.symbol == right.symbol);
      if (batch.settled(u, i, p) != nullptr) {
        REQUIRE(e->provider == right.module);
        REQUIRE(e->address == right.module->image.bias.value + right.symbol->st_value);
        REQUIRE(elf::sym_type(*right.symbol) != STT_GNU_IFUNC);
        REQUIRE(elf::sym_type(*right.symbol) != STT_TLS);
        REQUIRE(right.symbol->st_shndx != SHN_ABS);
        ++settled;
        if (scope::looks_at_itself_first(m) && right.module == &m) ++by_itself;
      }
      ++known;
      ++(right ? found : nothing);
    });
  }
  // The generator makes every kind of case, and few that a batch leaves open.
  CHECK(settled > known / 5);
  CHECK(settled < found);
  CHECK(by_itself > 100);
  CHECK(found > known / 4);
  CHECK(nothing > known / 20);
  CHECK(depends > 100);
  CHECK(depends < known / 4);
}

TEST_CASE("a table of names finds what asking each module finds") {
  std::size_t found = 0, nothing = 0, continued = 0, unknown = 0;
  for (std::uint32_t seed = 1; seed <= 250; ++seed) {
    Random r{std::mt19937{seed}};
    Closure closure(r);
    // Leaving modules are as they are when the table is made, and change afterwards too.
    std::span<load::Module* const> all(closure.modules);
    load::ModuleList* shorter =
        load::make_list(all.first(r.below(static_cast<std::uint32_t>(all.size()) + 1)));
    load::ModuleList* longer = load::make_list(all);
    shorter->asked = ~std::uint64_t{0};
    scope::consider_index(*shorter);
    scope::continue_index(shorter, *longer);
    // Who has a table is not to be looked at again, which each look-up would be.
    if (longer->names != nullptr) REQUIRE(longer->next_look == scope::kNever);
    continued += longer->names != nullptr;
    if (longer->names == nullptr) {
      longer->asked = ~std::uint64_t{0};
      scope::consider_index(*longer);
    }
    for (load::Module* m : closure.modules)
      if (r.one_in(20)) m->leaving = !m->leaving;
    load::ModuleList* plain[] = {load::make_list({shorter->modules, shorter->count}),
                                 load::make_list({longer->modules, longer->count})};
    for (load::Module* user : closure.modules)
      for (std::uint32_t i = 1; i < user->image.symbol_limit; ++i) {
        const char* name = user->image.strings.at(user->image.symbols[i].st_name);
        if (name == nullptr) continue;
        for (Purpose p : {Purpose::address, Purpose::call})
          for (bool versioned : {false, true})
            for (bool whole : {false, true}) {
              const load::ModuleList* list = whole ? longer : shorter;
              if (list->names == nullptr) continue;
              scope::Request request =
                  scope::Request::of(name, versioned ? scope::version_of(*user, i) : nullptr, p);
              request.newest = r.one_in(2);
              request.hidden_version_ok = r.one_in(2);
              REQUIRE(scope::is_ordinary(request));
              bool known = false;
              scope::Definition quick = scope::find_by_index(*list, request, known);
              if (!known) {
                ++unknown;
                continue;
              }
              scope::Definition right = scope::find_in_list(plain[whole], request);
              if (quick.module != right.module || quick.symbol != right.symbol)
                FAIL("seed " << seed << ", " << name << " in " << list->count << " modules");
              ++(right ? found : nothing);
            }
      }
    for (load::ModuleList* each : {plain[0], plain[1], shorter, longer}) load::release_list(each);
  }
  CHECK(found > 10000);
  CHECK(nothing > 1000);
  CHECK(continued > 100);
  CHECK(unknown > 20);
}

TEST_CASE("a table of names is made when it pays") {
  Random r{std::mt19937{1}};
  Closure closure(r);
  std::vector<load::Module*> many;
  while (many.size() < 40) many.push_back(closure.modules[many.size() % closure.modules.size()]);
  load::ModuleList* list = load::make_list(many);
  scope::Request request = scope::Request::of("no such name", nullptr, Purpose::call);
  int asked = 0;
  for (; list->names == nullptr && asked < 100000; ++asked) {
    REQUIRE_FALSE(scope::find_in_list(list, request));
    if (scope::asked_enough(list)) scope::consider_index(*list);
  }
  CHECK(asked >= 32);
  CHECK(asked < 100000);
  REQUIRE_FALSE(scope::find_in_list(list, request));
  load::release_list(list);
}
