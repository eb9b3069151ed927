// Programs with no libc: a TCB of the psABI's own words, no hooks.
#include "arch/port.hpp"
#include "rtld/abi/runtime_abi.hpp"

namespace myld::abi {
namespace {

/// The psABIs ask for the thread pointer's own address in its first word (x86-64).
void thread_created(Runtime&, std::uintptr_t tp) {
  if (arch::Port::kTlsVariant == arch::TlsVariant::ii) *reinterpret_cast<std::uintptr_t*>(tp) = tp;
}

}  // namespace

constinit const RuntimeAbi kBare = {
    .name = "bare", .static_tls_surplus = 4096, .thread_created = thread_created};

}  // namespace myld::abi
