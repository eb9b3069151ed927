// How myld_call_keeping_vectors must save the vector state of this CPU.
// Source: Intel SDM vol. 1, 13.2 (enumeration of XSAVE features).
#include "arch/port.hpp"
#include "arch/vector_state.hpp"

extern "C" [[gnu::visibility("hidden")]] std::uintptr_t myld_call_keeping_vectors(
    std::uintptr_t (*call)(void*), void* argument, std::size_t area_bytes, unsigned compacted);

namespace myld::arch {
namespace {

struct Registers {
  std::uint32_t eax, ebx, ecx, edx;
};

Registers cpuid(std::uint32_t leaf, std::uint32_t subleaf) {
  Registers r;
  asm("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
  return r;
}

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

void set_vector_state(std::uint32_t area_bytes, bool compacted) {
  __atomic_store_n(&g_state, state_of(area_bytes, compacted), __ATOMIC_RELAXED);
}

void set_hwcap(std::uint64_t) {}

}  // namespace myld::arch
