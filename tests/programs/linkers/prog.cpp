#include <cstdio>
#include <string>
#include <typeinfo>
#include <vector>

struct Shape {
  virtual ~Shape() = default;
  virtual std::string name() const { return "shape"; }
};
extern "C" Shape* make_circle();
extern "C" int next_tls();
extern "C" int sum_of_zeroed();
extern "C" int function_1007();
using Function = int (*)();
extern const Function table[];
extern std::vector<std::string> words;

int main() {
  int sum = 0;
  for (int i = 0; i < 30; i++) sum += table[i]();
  Shape* shape = make_circle();
  std::printf("%d %d %s %s\n", sum, table[7] == function_1007, shape->name().c_str(),
              typeid(*shape).name());
  int first = next_tls();
  std::printf("%d %d %d\n", first, next_tls(), sum_of_zeroed());
  for (const std::string& word : words) std::printf("%s ", word.c_str());
  std::puts("");
  delete shape;
}
