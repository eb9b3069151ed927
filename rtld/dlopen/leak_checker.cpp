#include "rtld/dlopen/leak_checker.hpp"

#include "rtld/relocate/relocate.hpp"
#include "rtld/scope/lookup.hpp"

namespace myld::dlopen {
namespace {

using Report = void (*)(const void* block, std::size_t bytes);

Report find(const Runtime& runtime, const char* name) {
  scope::Request request = scope::Request::of(name, nullptr, scope::Purpose::call);
  request.newest = true;
  scope::Definition d = scope::find_in_list(runtime.first.global.read(), request);
  if (!d) return nullptr;
  auto address = relocate::address_of(runtime, d);
  return address ? reinterpret_cast<Report>(address.value()) : nullptr;
}

}  // namespace

void tell_leak_checker(Runtime& runtime) {
  if (runtime.tls.leak_checker_sought) return;
  runtime.tls.leak_checker_sought = true;
  Report made = find(runtime, "__lsan_register_root_region");
  Report gone = find(runtime, "__lsan_unregister_root_region");
  if (made == nullptr || gone == nullptr) return;
  runtime.tls.block_made = made;
  runtime.tls.block_gone = gone;
}

}  // namespace myld::dlopen
