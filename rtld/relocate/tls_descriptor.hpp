// TLS descriptors: two words, a resolver and its argument, called with a convention of its own.
// Source: Oliva, "Thread-Local Storage Descriptors"; arch/<isa>/tlsdesc.S.
#pragma once
#include "loader/base/result.hpp"
#include "loader/load/module.hpp"

namespace myld::relocate {

/// Fills the descriptor at run address `at`, in `user`, for `offset` bytes into the block of
/// `provider`. The cheap resolver is chosen where the block is in static TLS. Errors:
/// out_of_memory.
Status store_descriptor(std::uintptr_t at,
                        load::Module& user,
                        load::Module& provider,
                        std::uint64_t offset);

/// Fills it for an undefined weak symbol: the address comes out as `addend`.
void store_undefined_descriptor(std::uintptr_t at, std::uint64_t addend);

}  // namespace myld::relocate
