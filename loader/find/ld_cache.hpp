// /etc/ld.so.cache: soname -> path, written by ldconfig(8).
#pragma once
#include <cstdint>
#include <span>

namespace myld::find {

/// The glibc-hwcaps subdirectories that count, most wanted first ("x86-64-v3", ...), asked for only
/// when an entry says that it is in one.
struct Hwcaps {
  std::span<const char* const> (*names)(void* context) = nullptr;
  void* context = nullptr;
};

/// A checked view of the cache file's bytes.
///
/// Format (glibc's "1.1"): a 48-byte header { "glibc-ld.so.cache1.1", nlibs, len_strings, flags,
/// pad, extension_offset, unused[3] }, then nlibs entries of 24 bytes { flags, key, value,
/// osversion, hwcap } sorted by key in descending order of `compare`, then strings. An old-format
/// table ("ld.so-1.7.0": count, 12-byte entries { flags, key, value }) may stand before it, and is
/// read where there is nothing else; its strings' offsets count from the end of its entries.
/// Offsets of the new one count from the start of its header.
class LdCache {
public:
  /// Every offset is checked when it is used; a file that is no cache gives an empty one.
  static LdCache parse(std::span<const std::uint8_t> bytes);

  /// The path of `soname` for this ABI, best of the `hwcaps` subdirectories, or nullptr.
  /// `abi_flags`: Port::kCacheFlags.
  const char* find(const char* soname, std::uint32_t abi_flags, const Hwcaps& hwcaps) const;

  /// Calls visit(context, soname, path) for every entry of this ABI.
  void each(std::uint32_t abi_flags,
            void (*visit)(void* context, const char* soname, const char* path),
            void* context) const;

private:
  struct Entry {
    std::uint32_t flags, key, value, osversion;
    std::uint64_t hwcap;
  };
  const char* string(std::uint32_t offset) const;
  const char* hwcap_name(std::uint64_t hwcap) const;
  std::uint64_t rank(std::uint64_t hwcap, const Hwcaps& hwcaps) const;
  void parse_old(std::span<const std::uint8_t> bytes, std::uint32_t count);
  Entry entry(std::uint32_t index) const;

  std::span<const std::uint8_t> bytes_;  ///< what offsets count from the start of
  std::span<const std::uint8_t> table_;  ///< the entries
  std::uint32_t entry_bytes_ = 1;
  std::uint32_t count_ = 0;
  std::span<const std::uint32_t> hwcap_names_;  ///< string offsets of the glibc-hwcaps extension
};

}  // namespace myld::find
