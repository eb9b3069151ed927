// The generated tables of glibc on aarch64.

#include "rtld/glibc/layouts/known.hpp"

namespace myld::glibc {

namespace aarch64 {
#include "rtld/glibc/layouts/aarch64/known.inc"
}  // namespace aarch64

const Known& aarch64_known() {
  static constinit const Known known = {
      "aarch64",         aarch64::layouts,        aarch64::names, aarch64::build_ids,
      aarch64::tunables, aarch64::tunable_tables, &aarch64::code,
  };
  return known;
}

}  // namespace myld::glibc
