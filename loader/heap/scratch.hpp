// Memory for the time of one operation: zeroed, given back to the system as a whole.
#pragma once
#include <cstddef>

namespace myld::heap {

/// Returns `bytes` of zeroed memory, page-aligned, or nullptr. Larger ones come in huge
/// pages where the system has them, so that one fault does the work of 512; smaller ones with their
/// pages in place.
void* allocate_scratch(std::size_t bytes);

/// Gives back what allocate_scratch(bytes) returned. nullptr is allowed.
void release_scratch(void* memory, std::size_t bytes);

}  // namespace myld::heap
