// What the kernel leaves on the stack of a new process.
// Source: AMD64 supplement 3.4.1 and the same section of the other psABIs; getauxval(3).
#pragma once
#include <cstddef>
#include <cstdint>

namespace myld::sys {

struct AuxEntry {
  std::uint64_t type, value;
};

inline constexpr std::uint64_t kAtNull = 0, kAtIgnore = 1, kAtPhdr = 3, kAtPhent = 4, kAtPhnum = 5,
                               kAtPagesz = 6, kAtBase = 7, kAtEntry = 9, kAtUid = 11, kAtEuid = 12,
                               kAtGid = 13, kAtEgid = 14, kAtPlatform = 15, kAtHwcap = 16,
                               kAtClktck = 17, kAtSecure = 23, kAtRandom = 25, kAtHwcap2 = 26,
                               kAtRseqFeatureSize = 27, kAtRseqAlign = 28, kAtHwcap3 = 29,
                               kAtHwcap4 = 30, kAtExecfn = 31, kAtSysinfoEhdr = 33,
                               kAtMinsigstksz = 51, kAtFpucw = 18;

/// Bytes below the block that start.S leaves free, so that the environment can grow.
inline constexpr std::size_t kRoomBelow = 512;

/// A view of the block at the initial stack pointer: argc, argv, 0, envp, 0, auxv.
struct InitialStack {
  std::uintptr_t* base;  ///< address of argc
  char** argv;
  char** envp;
  AuxEntry* auxv;

  int argc() const { return static_cast<int>(base[0]); }

  static InitialStack at(std::uintptr_t* sp) {
    InitialStack s{sp, reinterpret_cast<char**>(sp + 1), nullptr, nullptr};
    s.envp = s.argv + sp[0] + 1;
    char** p = s.envp;
    while (*p != nullptr) ++p;
    s.auxv = reinterpret_cast<AuxEntry*>(p + 1);
    return s;
  }

  /// The entry of `type`, or nullptr.
  AuxEntry* find(std::uint64_t type) const {
    for (AuxEntry* a = auxv; a->type != kAtNull; ++a)
      if (a->type == type) return a;
    return nullptr;
  }
  std::uint64_t get(std::uint64_t type, std::uint64_t otherwise = 0) const {
    const AuxEntry* a = find(type);
    return a == nullptr ? otherwise : a->value;
  }
};

}  // namespace myld::sys
