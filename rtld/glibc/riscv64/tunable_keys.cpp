// Which of this ISA's tunables the loader itself looks at, found by name while compiling.

#include "rtld/glibc/tunables.hpp"

namespace myld::glibc {
namespace {

#include "rtld/glibc/layouts/riscv64/tunables.inc"

constexpr auto kKeys = tunable_keys(tunables);

}  // namespace

constinit const std::span<const TunableKey> kTunableKeys = kKeys;

}  // namespace myld::glibc
