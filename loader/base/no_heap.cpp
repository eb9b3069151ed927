// fmt names the C++ heap in code that is never reached with fixed buffers. Here that ends the
// process; in the hosted build the standard library's own are used.
#include <cstddef>
#include <new>

void* operator new(std::size_t) { __builtin_trap(); }
void operator delete(void*) noexcept { __builtin_trap(); }
void operator delete(void*, std::size_t) noexcept { __builtin_trap(); }

namespace std {
[[noreturn]] void __throw_bad_array_new_length() { __builtin_trap(); }
[[noreturn]] void __throw_bad_alloc() { __builtin_trap(); }
[[noreturn]] void __throw_length_error(const char*) { __builtin_trap(); }
}  // namespace std
