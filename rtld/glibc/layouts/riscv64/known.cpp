// The generated tables of glibc on riscv64.

#include "rtld/glibc/layouts/known.hpp"

namespace myld::glibc {

namespace riscv64 {
#include "rtld/glibc/layouts/riscv64/known.inc"
}  // namespace riscv64

const Known& riscv64_known() {
  static constinit const Known known = {
      "riscv64",         riscv64::layouts,        riscv64::names, riscv64::build_ids,
      riscv64::tunables, riscv64::tunable_tables, &riscv64::code,
  };
  return known;
}

}  // namespace myld::glibc
