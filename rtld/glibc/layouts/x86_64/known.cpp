// The generated tables of glibc on x86_64.

#include "rtld/glibc/layouts/known.hpp"

namespace myld::glibc {

namespace x86_64 {
#include "rtld/glibc/layouts/x86_64/known.inc"
}  // namespace x86_64

const Known& x86_64_known() {
  static constinit const Known known = {
      "x86_64",         x86_64::layouts,        x86_64::names, x86_64::build_ids,
      x86_64::tunables, x86_64::tunable_tables, &x86_64::code,
  };
  return known;
}

}  // namespace myld::glibc
