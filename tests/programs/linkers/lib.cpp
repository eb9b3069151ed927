// A library with some of everything that a linker turns into dynamic relocations and tables: many
// pointers in read-only data, virtual tables, TLS, functions, weak definitions, a COMDAT group.
#include <cstdio>
#include <string>
#include <vector>

#define TEN(M, n) M(n##0) M(n##1) M(n##2) M(n##3) M(n##4) M(n##5) M(n##6) M(n##7) M(n##8) M(n##9)
#define FUNCTION(n)                                                                                \
  extern "C" int function_##n() { return n - 1000; }
TEN(FUNCTION, 100)
TEN(FUNCTION, 101)
TEN(FUNCTION, 102)
#define ADDRESS(n) function_##n,
using Function = int (*)();
extern const Function table[] = {TEN(ADDRESS, 100) TEN(ADDRESS, 101) TEN(ADDRESS, 102)};

struct Shape {
  virtual ~Shape() = default;
  virtual std::string name() const { return "shape"; }
};
struct Circle : Shape {
  std::string name() const override { return "circle"; }
};
extern "C" Shape* make_circle() { return new Circle; }
thread_local int tls = 3;
extern "C" int next_tls() { return tls++; }
int zeroed[100000];
extern "C" int sum_of_zeroed() {
  int sum = 0;
  for (int n : zeroed) sum += n;
  return sum;
}
std::vector<std::string> words = {"built", "by", "a", "constructor"};
