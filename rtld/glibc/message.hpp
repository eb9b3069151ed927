// The texts that libc hands to its loader as a printf format with arguments.
#pragma once
#include <cstdarg>
#include <cstddef>
#include <span>

namespace myld::glibc {

/// Writes as much of the text as fits into `out`, NUL-terminated if that is not empty, and returns
/// the bytes of the whole. Knows the conversions s d i u x X p c %, with the flags 0 and -, width,
/// precision (digits or *) and the sizes hh h l ll z t j; anything else stands for itself.
/// Source: ISO C, fprintf.
std::size_t format_message(std::span<char> out, const char* format, std::va_list arguments);

}  // namespace myld::glibc
