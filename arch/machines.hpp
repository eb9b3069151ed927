// The facts of every ISA with a port that do not depend on which of them this is: for looking at
// programs of another machine without running them.
#pragma once
#include "arch/aarch64/traits.hpp"
#include "arch/port.hpp"
#include "arch/riscv64/traits.hpp"
#include "arch/x86_64/traits.hpp"

namespace myld::arch {

/// One ISA as its files show it.
struct Machine {
  std::uint16_t e_machine;
  const char* name;
  const char* multiarch;      ///< directory name below /lib and /usr/lib
  const char* lib_dir;        ///< what $LIB stands for
  const char* loader_soname;  ///< what libc's DT_NEEDED names its loader
  std::uint32_t cache_flags;  ///< of this ABI's entries in ld.so.cache
  RelocKind (*reloc_kind)(std::uint32_t r_type);
};

template <class P>
inline constexpr Machine kMachineOf{P::kMachine,      P::kName,       P::kMultiarch, P::kLibDir,
                                    P::kLoaderSoname, P::kCacheFlags, P::reloc_kind};

/// The machine that this loader runs on.
inline constexpr const Machine& kHostMachine = kMachineOf<Port>;

/// The machine with this e_machine, or nullptr if there is no port for it.
constexpr const Machine* find_machine(std::uint16_t e_machine) {
  constexpr const Machine* kMachines[] = {&kMachineOf<X86_64>, &kMachineOf<Aarch64>,
                                          &kMachineOf<Riscv64>};
  for (const Machine* m : kMachines)
    if (m->e_machine == e_machine) return m;
  return nullptr;
}

}  // namespace myld::arch
