#include "loader/heap/hash.hpp"

namespace myld {

constinit std::uint64_t g_hash_key = kFixedHashKey;

}  // namespace myld
