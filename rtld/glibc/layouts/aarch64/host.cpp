#include "rtld/glibc/layouts/known.hpp"

namespace myld::glibc {

const Known& host_known() { return aarch64_known(); }

}  // namespace myld::glibc
