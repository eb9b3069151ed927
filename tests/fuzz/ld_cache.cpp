// /etc/ld.so.cache.
#include "loader/find/ld_cache.hpp"

#include "arch/machines.hpp"
#include "tests/fuzz/input.hpp"

#include <string>
#include <vector>

using namespace myld;

namespace {

std::span<const char* const> hwcaps(void*) {
  static const char* const kNames[] = {"x86-64-v3", "x86-64-v2", ""};
  return kNames;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  find::LdCache cache = find::LdCache::parse({data, size});
  find::Hwcaps h{hwcaps, nullptr};
  std::vector<std::string> names = {"", "libc.so.6", "liba10.so.2", "~"};
  constexpr std::size_t kMostNames = 40;
  for (std::uint32_t flags : {arch::kHostMachine.cache_flags, 0u, 0x0a03u, 0x1003u})
    cache.each(
        flags,
        [](void* context, const char* soname, const char* path) {
          auto& all = *static_cast<std::vector<std::string>*>(context);
          fuzz::read_all(path);
          if (all.size() < kMostNames) all.emplace_back(soname);
        },
        &names);
  for (const std::string& name : names)
    fuzz::read_all(cache.find(name.c_str(), arch::kHostMachine.cache_flags, h));
  return 0;
}
