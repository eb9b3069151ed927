// Self-relocation: the first code of the process.
//
// What it may use: the stack, registers, its own code, and data addressed relative to the program
// counter. Not yet: anything that holds an address (tables of pointers, virtual functions, string
// tables of pointers), since those words are what is being set here. No calls out, no loops that
// the compiler may turn into calls of mem* (meson.build: early sources).
//
// The file has relative relocations only (tools/check_binary.py), in DT_RELA and DT_RELR.
#include "arch/port.hpp"
#include "loader/base/first_chunk.hpp"
#include "loader/elf/layout.hpp"

#include <cstddef>
#include <cstdint>

extern "C" {

/// What start.S does next: jump to `entry` with the stack pointer at `stack`.
struct HandOver {
  std::uintptr_t entry;
  std::uintptr_t stack;
};

// Defined by the linker; hidden, so reached without the GOT.
[[gnu::visibility("hidden")]] extern const myld::elf::Ehdr __ehdr_start;
[[gnu::visibility("hidden")]] extern const myld::elf::Dyn _DYNAMIC[];

[[gnu::visibility("hidden")]] HandOver myld_main(std::uintptr_t* stack);

/// Brings in what every start writes to, from the words below to the first of the heap: a page
/// fault for each page would take twice as long. Only a wish, which old kernels refuse.
static void bring_in_data(std::uintptr_t bias) {
  using namespace myld;
  constexpr std::uintptr_t kPage = 4096;   // where pages are larger, there are fewer to bring in
  constexpr long kMadvPopulateWrite = 23;  // Linux 5.14
  std::uintptr_t end = reinterpret_cast<std::uintptr_t>(myld_first_chunk) + kFirstChunkUsed;
  const auto* p = reinterpret_cast<const elf::Phdr*>(bias + __ehdr_start.e_phoff);
  while (p->p_type != PT_LOAD || (p->p_flags & PF_W) == 0) ++p;
  std::uintptr_t first = (bias + p->p_vaddr) & ~(kPage - 1);
  arch::syscall(arch::kSysMadvise, static_cast<long>(first), static_cast<long>(end - first),
                kMadvPopulateWrite);
}

[[gnu::visibility("hidden")]] HandOver myld_boot(std::uintptr_t* stack) {
  using namespace myld::elf;
  auto bias = reinterpret_cast<std::uintptr_t>(&__ehdr_start);
  bring_in_data(bias);
  std::uintptr_t rela = 0, rela_bytes = 0, relr = 0, relr_bytes = 0;
  for (const Dyn* d = _DYNAMIC; d->d_tag != DT_NULL; ++d) {
    if (d->d_tag == DT_RELA) rela = d->d_un.d_ptr;
    if (d->d_tag == DT_RELASZ) rela_bytes = d->d_un.d_val;
    if (d->d_tag == DT_RELR) relr = d->d_un.d_ptr;
    if (d->d_tag == DT_RELRSZ) relr_bytes = d->d_un.d_val;
  }
  for (std::uintptr_t at = rela; at < rela + rela_bytes; at += sizeof(Rela)) {
    const auto* r = reinterpret_cast<const Rela*>(bias + at);
    *reinterpret_cast<std::uintptr_t*>(bias + r->r_offset) =
        bias + static_cast<std::uintptr_t>(r->r_addend);
  }
  auto* next = reinterpret_cast<std::uintptr_t*>(bias);
  for (std::uintptr_t at = relr; at < relr + relr_bytes; at += sizeof(Relr)) {
    Relr entry = *reinterpret_cast<const Relr*>(bias + at);
    if ((entry & 1) == 0) {
      next = reinterpret_cast<std::uintptr_t*>(bias + entry);
      *next++ += bias;
      continue;
    }
    auto* word = next;
    for (Relr bits = entry >> 1; bits != 0; bits >>= 1, ++word)
      if ((bits & 1) != 0) *word += bias;
    next += 63;
  }
  // Nothing above may be moved below the relocated words' first use.
  asm volatile("" ::: "memory");
  return myld_main(stack);
}
}
