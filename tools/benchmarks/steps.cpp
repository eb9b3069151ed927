// One call of <dlfcn.h>, COUNT times, so that the instructions of one are the difference of two
// runs divided by that of their counts.
//
//   steps CLOSURE LOADED LIBRARY OPERATION COUNT
//
// CLOSURE is the folder of a generated one, of which so many LOADED libraries are opened first;
// LIBRARY is what OPERATION open opens and closes, and reopen too, while it is open.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <string>

namespace {

volatile void* sink;

void* open(const std::string& path, int flags) {
  void* handle = dlopen(path.c_str(), flags);
  if (handle == nullptr) {
    std::fprintf(stderr, "steps: %s\n", dlerror());
    std::exit(1);
  }
  return handle;
}

std::string library(const std::string& folder, int number) {
  char name[32];
  std::snprintf(name, sizeof name, "/libcomponent%04d.so", number);
  return folder + name;
}

int visit(dl_phdr_info* info, std::size_t, void*) {
  sink = reinterpret_cast<void*>(info->dlpi_addr);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  std::string folder = argv[1], small = argv[3], what = argv[4];
  int loaded = std::atoi(argv[2]), count = std::atoi(argv[5]);
  void* last = nullptr;
  for (int i = 1; i <= loaded; ++i) last = open(library(folder, i), RTLD_NOW | RTLD_GLOBAL);
  std::string newest = "data_" + std::to_string(loaded);
  auto each = [&](auto body) {
    for (int i = 0; i < count; ++i) body();
  };
  if (what == "reopen") open(small, RTLD_NOW);
  if (what == "open" || what == "reopen")
    each([&] { dlclose(open(small, RTLD_NOW)); });
  else if (what == "hit")
    each([&] { sink = dlsym(RTLD_DEFAULT, "strtoimax"); });
  else if (what == "last")
    each([&] { sink = dlsym(RTLD_DEFAULT, newest.c_str()); });
  else if (what == "missing")
    each([&] { sink = dlsym(RTLD_DEFAULT, "no_such_symbol"); });
  else if (what == "handle")
    each([&] { sink = dlsym(last, newest.c_str()); });
  else if (what == "iterate")
    each([&] { dl_iterate_phdr(visit, nullptr); });
  else if (what == "address")
    each([&] {
      Dl_info info;
      sink = dladdr(reinterpret_cast<void*>(&main), &info) != 0 ? info.dli_saddr : nullptr;
    });
  else
    return 2;
  return 0;
}
