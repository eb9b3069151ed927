#include "loader/find/ld_cache.hpp"

#include "loader/base/addr.hpp"
#include "loader/base/mem.hpp"

namespace myld::find {
namespace {

constexpr char kMagicNew[] = "glibc-ld.so.cache1.1";
constexpr char kMagicOld[] = "ld.so-1.7.0";
constexpr std::size_t kHeaderBytes = 48, kOldHeaderBytes = 16, kOldEntryBytes = 12;
// The low two bits of the byte at 28, since 2.33: 2 little-endian, 3 big-endian.
constexpr std::uint8_t kOrderUnknown = 0, kOrderLittle = 2;
constexpr std::uint64_t kHwcapExtension = std::uint64_t{1} << 62;
constexpr std::uint32_t kExtensionMagic = 0xeaa42174, kTagGlibcHwcaps = 1;

std::uint32_t word(std::span<const std::uint8_t> bytes, std::size_t at) {
  std::uint32_t value;
  memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

bool starts_with(std::span<const std::uint8_t> bytes, const char* magic, std::size_t n) {
  return bytes.size() >= n && memcmp(bytes.data(), magic, n) == 0;
}

bool digit(char c) { return c >= '0' && c <= '9'; }

/// The order in which ldconfig sorts: runs of digits compare as numbers, and digits are greater
/// than anything else. The file is sorted from greatest to least.
int compare(const char* a, const char* b) {
  while (*a != 0) {
    if (digit(*a)) {
      if (!digit(*b)) return 1;
      std::uint64_t x = 0, y = 0;
      while (digit(*a)) x = x * 10 + static_cast<std::uint64_t>(*a++ - '0');
      while (digit(*b)) y = y * 10 + static_cast<std::uint64_t>(*b++ - '0');
      if (x != y) return x < y ? -1 : 1;
    } else if (digit(*b)) {
      return -1;
    } else if (*a != *b) {
      return static_cast<signed char>(*a) - static_cast<signed char>(*b);
    } else {
      ++a;
      ++b;
    }
  }
  return -static_cast<signed char>(*b);
}

}  // namespace

void LdCache::parse_old(std::span<const std::uint8_t> bytes, std::uint32_t count) {
  if (count > (bytes.size() - kOldHeaderBytes) / kOldEntryBytes) return;
  entry_bytes_ = kOldEntryBytes;
  count_ = count;
  table_ = bytes.subspan(kOldHeaderBytes, std::size_t{count} * kOldEntryBytes);
  bytes_ = bytes.subspan(kOldHeaderBytes + table_.size());
}

LdCache LdCache::parse(std::span<const std::uint8_t> bytes) {
  LdCache cache;
  constexpr std::size_t kNew = sizeof kMagicNew - 1, kOld = sizeof kMagicOld - 1;
  if (starts_with(bytes, kMagicOld, kOld)) {
    if (bytes.size() < kOldHeaderBytes) return cache;
    std::uint32_t count = word(bytes, 12);
    std::uint64_t old_bytes = round_up(kOldHeaderBytes + std::uint64_t{count} * kOldEntryBytes, 8);
    if (old_bytes > bytes.size() ||
        !starts_with(bytes.subspan(static_cast<std::size_t>(old_bytes)), kMagicNew, kNew)) {
      cache.parse_old(bytes, count);
      return cache;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(old_bytes));
  }
  if (!starts_with(bytes, kMagicNew, kNew) || bytes.size() < kHeaderBytes) return cache;
  std::uint8_t order = bytes[28] & 3;
  if (order != kOrderUnknown && order != kOrderLittle) return cache;
  std::uint64_t count = word(bytes, 20);
  if (count > (bytes.size() - kHeaderBytes) / sizeof(Entry)) return cache;
  cache.bytes_ = bytes;
  cache.count_ = static_cast<std::uint32_t>(count);
  cache.entry_bytes_ = sizeof(Entry);
  cache.table_ = bytes.subspan(kHeaderBytes, std::size_t{cache.count_} * sizeof(Entry));
  std::uint64_t extension = word(bytes, 32);
  if (extension == 0 || extension % 4 != 0 || extension > bytes.size() - 8 ||
      word(bytes, extension) != kExtensionMagic)
    return cache;
  std::uint64_t sections = word(bytes, extension + 4);
  if (sections > (bytes.size() - extension - 8) / 16) return cache;
  for (std::uint64_t i = 0; i < sections; ++i) {
    std::size_t at = extension + 8 + i * 16;
    std::uint64_t offset = word(bytes, at + 8), size = word(bytes, at + 12);
    if (word(bytes, at) == kTagGlibcHwcaps && offset % 4 == 0 && offset <= bytes.size() &&
        size <= bytes.size() - offset)
      cache.hwcap_names_ = {reinterpret_cast<const std::uint32_t*>(bytes.data() + offset),
                            size / 4};
  }
  return cache;
}

const char* LdCache::string(std::uint32_t offset) const {
  for (std::size_t i = offset; i < bytes_.size(); ++i)
    if (bytes_[i] == 0) return reinterpret_cast<const char*>(bytes_.data() + offset);
  return nullptr;
}

const char* LdCache::hwcap_name(std::uint64_t hwcap) const {
  std::uint64_t index = hwcap & 0xffffffff;
  return index < hwcap_names_.size() ? string(hwcap_names_[index]) : nullptr;
}

LdCache::Entry LdCache::entry(std::uint32_t index) const {
  Entry e{};
  memcpy(&e, table_.data() + std::size_t{index} * entry_bytes_, entry_bytes_);
  return e;
}

/// 0: not for this CPU; higher is more wanted; 1: for every CPU.
std::uint64_t LdCache::rank(std::uint64_t hwcap, const Hwcaps& hwcaps) const {
  if (hwcap == 0) return 1;
  // Entries for the subdirectories that glibc gave up in 2.37 have other bits here.
  if ((hwcap & kHwcapExtension) == 0) return 0;
  const char* name = hwcap_name(hwcap);
  if (name == nullptr || hwcaps.names == nullptr) return 0;
  std::span<const char* const> names = hwcaps.names(hwcaps.context);
  for (std::size_t i = 0; i < names.size(); ++i)
    if (equal(names[i], name)) return 2 + names.size() - i;
  return 0;
}

void LdCache::each(std::uint32_t abi_flags,
                   void (*visit)(void* context, const char* soname, const char* path),
                   void* context) const {
  for (std::uint32_t i = 0; i < count_; ++i) {
    Entry e = entry(i);
    if (e.flags != abi_flags) continue;
    const char* key = string(e.key);
    const char* path = string(e.value);
    if (key != nullptr && path != nullptr) visit(context, key, path);
  }
}

const char* LdCache::find(const char* soname, std::uint32_t abi_flags, const Hwcaps& hwcaps) const {
  std::uint32_t low = 0, high = count_;
  while (low < high) {  // the first entry that is not greater than soname
    std::uint32_t middle = low + (high - low) / 2;
    const char* key = string(entry(middle).key);
    if (key == nullptr) return nullptr;
    if (compare(key, soname) > 0)
      low = middle + 1;
    else
      high = middle;
  }
  const char* best = nullptr;
  std::uint64_t best_rank = 0;
  for (; low < count_; ++low) {
    Entry e = entry(low);
    const char* key = string(e.key);
    if (key == nullptr || compare(key, soname) != 0) break;
    if (e.flags != abi_flags || !equal(key, soname)) continue;
    std::uint64_t r = rank(e.hwcap, hwcaps);
    if (r <= best_rank) continue;
    if (const char* path = string(e.value)) {
      best = path;
      best_rank = r;
    }
  }
  return best;
}

}  // namespace myld::find
