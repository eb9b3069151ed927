#include "rtld/glibc/layouts/known.hpp"

namespace myld::glibc {

const Known& host_known() { return riscv64_known(); }

}  // namespace myld::glibc
