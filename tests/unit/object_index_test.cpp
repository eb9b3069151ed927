// The index of modules by address and by handle, against maps of the standard library.
#include "rtld/dlopen/object_index.hpp"
#include "tests/unit/catch.hpp"

#include <map>
#include <memory>
#include <random>
#include <vector>

namespace {

using namespace myld;
using load::Module;

/// A module at an address of its own, with a handle that the index may not look through.
struct Fake {
  Module module;
  explicit Fake(std::uintptr_t start, std::size_t bytes) {
    module.mapping = {RunAddr{start}, bytes, LoadBias{}};
    module.link_map = reinterpret_cast<load::LinkMap*>(start + 0x10);
  }
};

class World {
public:
  void add(std::size_t count) {
    std::vector<Module*> added;
    while (added.size() < count) {
      std::uintptr_t start = (random_() % 5000 + 1) * 0x10000;
      if (modules_.count(start) != 0) continue;
      auto fake = std::make_unique<Fake>(start, 0x1000 * (random_() % 16 + 1));
      added.push_back(&fake->module);
      modules_[start] = std::move(fake);
    }
    void* old_handles = nullptr;
    REQUIRE(dlopen::reserve_handles(added.size(), old_handles));
    replace(dlopen::index_with(added));
    for (Module* m : added) dlopen::add_handle(*m);
    dlopen::release_handles(old_handles);
  }

  void remove(std::size_t count) {
    std::vector<Module*> removed;
    std::vector<std::unique_ptr<Fake>> gone;
    while (removed.size() < count && !modules_.empty()) {
      auto at = modules_.lower_bound((random_() % 5000 + 1) * 0x10000);
      if (at == modules_.end()) at = modules_.begin();
      removed.push_back(&at->second->module);
      gone.push_back(std::move(at->second));
      modules_.erase(at);
    }
    replace(dlopen::index_without(removed));
    for (Module* m : removed) dlopen::remove_handle(*m);
    for (const auto& each : gone) CHECK(dlopen::module_of_handle(each->module.link_map) == nullptr);
  }

  void check() {
    for (int i = 0; i < 300; ++i) {
      std::uintptr_t address = random_() % (5002 * 0x10000ul);
      auto at = modules_.upper_bound(address);
      Module* expected = nullptr;
      if (at != modules_.begin()) {
        Module& m = std::prev(at)->second->module;
        if (m.contains(address)) expected = &m;
      }
      REQUIRE(dlopen::module_at(address) == expected);
    }
    for (const auto& [start, fake] : modules_) {
      REQUIRE(dlopen::module_at(start) == &fake->module);
      REQUIRE(dlopen::module_of_handle(fake->module.link_map) == &fake->module);
      REQUIRE(dlopen::module_of_handle(reinterpret_cast<void*>(start)) == nullptr);
    }
  }

  std::size_t size() const { return modules_.size(); }
  std::size_t random(std::size_t limit) { return random_() % limit; }

private:
  static void replace(dlopen::ObjectIndex* index) {
    REQUIRE(index != nullptr);
    dlopen::release_index(dlopen::publish_index(index));
  }

  std::mt19937_64 random_{7};
  std::map<std::uintptr_t, std::unique_ptr<Fake>> modules_;
};

}  // namespace

TEST_CASE("what is opened and closed is found, and nothing else") {
  World world;
  world.add(3);
  for (int round = 0; round < 400; ++round) {
    if (world.size() < 20 || (world.size() < 1500 && world.random(5) < 3))
      world.add(1 + world.random(world.random(10) == 0 ? 150 : 3));
    else
      world.remove(1 + world.random(world.random(10) == 0 ? 100 : 3));
    if (round % 5 == 0) world.check();
    // An index that is given up leaves the one there is as it was.
    Fake other(0x7000'0000, 0x1000);
    Module* one = &other.module;
    dlopen::discard_index(dlopen::index_with({&one, 1}));
  }
  world.check();
  world.remove(world.size());
  CHECK(dlopen::module_at(0x10000) == nullptr);
}
