#include "rtld/init/order.hpp"
#include "tests/unit/catch.hpp"

#include <algorithm>
#include <memory>
#include <vector>

using myld::Vec;
using myld::load::Module;

namespace {

struct Graph {
  std::vector<std::unique_ptr<Module>> modules;
  explicit Graph(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) modules.push_back(std::make_unique<Module>());
  }
  void needs(std::size_t user, std::size_t provider) {
    REQUIRE(modules[user]->needed.push(modules[provider].get()));
  }
  static constexpr std::size_t kNone = ~std::size_t{0};
  std::vector<std::size_t> order(bool with_bound = false, std::size_t last = kNone) {
    std::vector<Module*> list;
    for (auto& m : modules) list.push_back(m.get());
    Vec<Module*> out;
    REQUIRE(myld::init::dependencies_first(list, with_bound, out,
                                           last == kNone ? nullptr : modules[last].get()));
    std::vector<std::size_t> result;
    for (Module* m : out)
      result.push_back(static_cast<std::size_t>(
          std::find_if(modules.begin(), modules.end(), [&](auto& p) { return p.get() == m; }) -
          modules.begin()));
    return result;
  }
};

using Order = std::vector<std::size_t>;

}  // namespace

TEST_CASE("a chain comes from its end") {
  Graph g(4);
  g.needs(0, 1);
  g.needs(1, 2);
  g.needs(2, 3);
  CHECK(g.order() == Order{3, 2, 1, 0});
}

TEST_CASE("modules that do not need each other: the last of the list comes first") {
  Graph g(3);
  CHECK(g.order() == Order{2, 1, 0});
}

TEST_CASE("a diamond: what both sides need comes before both") {
  Graph g(4);
  g.needs(0, 1);
  g.needs(0, 2);
  g.needs(1, 3);
  g.needs(2, 3);
  CHECK(g.order() == Order{3, 2, 1, 0});
}

TEST_CASE("a cycle is entered once, and everything comes once") {
  Graph g(3);
  g.needs(0, 1);
  g.needs(1, 2);
  g.needs(2, 1);
  Order order = g.order();
  CHECK(order.size() == 3);
  CHECK(order.back() == 0);
}

TEST_CASE("what is opened comes last, also in a cycle") {
  Graph g(3);
  g.needs(0, 1);
  g.needs(1, 2);
  g.needs(2, 0);
  CHECK(g.order(false, 0) == Order{2, 1, 0});
  CHECK(g.order(false, 1) == Order{0, 2, 1});
  CHECK(g.order(false, 2) == Order{1, 0, 2});
}

TEST_CASE("what a module is bound to counts only when asked for") {
  Graph g(2);
  REQUIRE(g.modules[1]->bound_to.push(g.modules[0].get()));
  CHECK(g.order(false) == Order{1, 0});
  CHECK(g.order(true) == Order{0, 1});
}

TEST_CASE("a chain of many thousands needs no stack") {
  Graph g(20000);
  for (std::size_t i = 0; i + 1 < 20000; ++i) g.needs(i, i + 1);
  Order order = g.order();
  CHECK(order.front() == 19999);
  CHECK(order.back() == 0);
}
