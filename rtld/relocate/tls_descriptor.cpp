#include "rtld/relocate/tls_descriptor.hpp"

#include "loader/base/mem.hpp"
#include "loader/heap/heap.hpp"
#include "rtld/tls/tls.hpp"

extern "C" {
[[gnu::visibility("hidden")]] void myld_tlsdesc_static();
[[gnu::visibility("hidden")]] void myld_tlsdesc_dynamic();
[[gnu::visibility("hidden")]] void myld_tlsdesc_undefined();
}

namespace myld::relocate {
namespace {

static_assert(sizeof(tls::TlsIndex) == load::kDescriptorBytes);

void store(std::uintptr_t at, void (*resolver)(), std::uintptr_t argument) {
  // The file chose the place: it need not be aligned.
  std::uintptr_t words[2] = {reinterpret_cast<std::uintptr_t>(resolver), argument};
  memcpy(reinterpret_cast<void*>(at), words, sizeof words);
}

}  // namespace

Status store_descriptor(std::uintptr_t at,
                        load::Module& user,
                        load::Module& provider,
                        std::uint64_t offset) {
  if (provider.tls.is_static) {
    store(at, &myld_tlsdesc_static, offset + static_cast<std::uint64_t>(provider.tls.tp_offset));
    return {};
  }
  auto* index = static_cast<tls::TlsIndex*>(heap::allocate(sizeof(tls::TlsIndex)));
  if (index == nullptr || !user.descriptors.push(index)) {
    heap::release(index, sizeof(tls::TlsIndex));
    return Error{.code = Code::out_of_memory, .object = user.display};
  }
  *index = {provider.tls.module_id, offset};
  store(at, &myld_tlsdesc_dynamic, reinterpret_cast<std::uintptr_t>(index));
  return {};
}

void store_undefined_descriptor(std::uintptr_t at, std::uint64_t addend) {
  store(at, &myld_tlsdesc_undefined, addend);
}

}  // namespace myld::relocate
