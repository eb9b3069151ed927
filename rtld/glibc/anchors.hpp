// The anchors: places in libc.so.6 that state an offset of the private structures. See detect.hpp.

#pragma once

#include "rtld/glibc/detect.hpp"

namespace myld::glibc {

/// Compares every anchor of `libc` with `layout`.
/// Gives: the number of mismatches, of which the first are in `out`.
/// With `strict` an anchor that should be there and cannot be read is a mismatch; otherwise it says
/// nothing.
std::size_t compare_anchors(const LibcFacts& libc,
                            const Known& known,
                            const Layout& layout,
                            bool strict,
                            std::span<Mismatch> out);

}  // namespace myld::glibc
