// Symbol names, eight bytes at a time: C++ names are long, and hashing and comparing them is most
// of what is left of looking them up.
#pragma once
#include <cstdint>

namespace myld::scope {

/// Source: "DT_GNU_HASH" (binutils 2006).
constexpr std::uint32_t gnu_hash(const char* name) {
  std::uint32_t h = 5381;
  for (; *name != 0; ++name) h = h * 33 + static_cast<unsigned char>(*name);
  return h;
}
static_assert(gnu_hash("") == 5381 && gnu_hash("printf") == 0x156b2bb8);

/// gnu_hash(name), faster.
std::uint32_t hash_of_name(const char* name);

/// Are the strings equal?
bool same_name(const char* a, const char* b);

}  // namespace myld::scope
