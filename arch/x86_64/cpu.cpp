// How myld_call_keeping_vectors must save the vector state of this CPU.
// Source: Intel SDM vol. 1, 13.2 (enumeration of XSAVE features).
#include "arch/port.hpp"
#include "arch/vector_state.hpp"
#include "arch/x86_64/cpuid.hpp"

extern "C" [[gnu::visibility("hidden")]] std::uintptr_t myld_call_keeping_vectors(
    std::uintptr_t (*call)(void*), void* argument, std::size_t area_bytes, unsigned compacted);

/// Of the vector registers, for plt_audit_trampoline.S: 0 xmm, 1 ymm, 2 zmm.
extern "C" {
[[gnu::visibility("hidden")]] constinit std::uint32_t myld_vector_width = 0;
}

namespace myld::arch {
namespace {

/// Area bytes in the low 32 bits, bit 32: compacted form, bit 33: known.
constinit std::uint64_t g_state = 0;

constexpr std::uint64_t state_of(std::uint32_t area_bytes, bool compacted) {
  return std::uint64_t{1} << 33 | std::uint64_t{compacted} << 32 | area_bytes;
}

std::uint64_t examine() {
  constexpr std::uint32_t kOsxsave = 1u << 27, kXsavec = 1u << 1;
  if ((cpuid(1, 0).ecx & kOsxsave) == 0) return state_of(0, false);
  // The size of the standard form with everything XCR0 enables bounds the compacted one too.
  std::uint32_t bytes = cpuid(0xd, 0).ebx;
  return state_of(bytes, (cpuid(0xd, 1).eax & kXsavec) != 0);
}

}  // namespace

std::uintptr_t call_keeping_vectors(std::uintptr_t (*call)(void*), void* argument) {
  // cpuid traps in virtual machines (microseconds), so it runs when first needed, once. Two threads
  // that race here store the same value.
  std::uint64_t state = __atomic_load_n(&g_state, __ATOMIC_RELAXED);
  if (state == 0) {
    state = examine();
    __atomic_store_n(&g_state, state, __ATOMIC_RELAXED);
  }
  return myld_call_keeping_vectors(call, argument, state & 0xffffffff,
                                   static_cast<unsigned>((state >> 32) & 1));
}

void prepare_audited_calls() {
  constexpr std::uint32_t kOsxsave = 1u << 27, kAvx512f = 1u << 16;
  constexpr std::uint64_t kAvx = 0x6, kAvx512 = 0xe6;
  if ((cpuid(1, 0).ecx & kOsxsave) == 0) return;
  std::uint64_t state = xcr0();
  if ((state & kAvx) == kAvx) myld_vector_width = 1;
  if ((state & kAvx512) == kAvx512 && (cpuid(7, 0).ebx & kAvx512f) != 0) myld_vector_width = 2;
}

void set_hwcap(std::uint64_t) {}

}  // namespace myld::arch
