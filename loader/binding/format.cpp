#include "loader/binding/format.hpp"

#include "loader/base/mem.hpp"

namespace myld::binding {
namespace {

constexpr std::size_t kCheckedFrom = offsetof(Header, checksum) + sizeof(Header::checksum);
constexpr std::uint32_t kLastRule = 9;  // find::By::standard

/// The elements of `table`, or nothing where they are not all in the file.
template <class T>
bool take(std::span<const std::uint8_t> file, const Table& table, std::span<const T>& out) {
  if (table.offset % alignof(T) != 0 || table.offset > file.size() ||
      table.count > (file.size() - table.offset) / sizeof(T))
    return false;
  const void* start = file.data() + table.offset;
  out = {static_cast<const T*>(start), table.count};
  return true;
}

constexpr std::uint64_t mix(std::uint64_t h, std::uint64_t word) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  h = (h ^ word) * kOdd;
  return h ^ h >> 29;
}

std::uint64_t word_at(const std::uint8_t* bytes) {
  std::uint64_t word;
  __builtin_memcpy(&word, bytes, sizeof word);
  return word;
}

std::uint64_t rest_offset(const Header& h) {
  return h.slots.offset + std::uint64_t{h.rest} * sizeof(Slot);
}

}  // namespace

std::uint64_t checksum(std::span<const std::uint8_t> bytes) {
  std::uint64_t lane[4] = {1, 2, 3, 4};
  std::size_t i = 0;
  for (; bytes.size() - i >= 32; i += 32)
    for (std::size_t k = 0; k < 4; ++k) lane[k] = mix(lane[k], word_at(bytes.data() + i + 8 * k));
  std::uint64_t h = bytes.size();
  for (std::uint64_t each : lane) h = mix(h, each);
  for (; i < bytes.size(); ++i) h = mix(h, bytes[i]);
  return h;
}

std::span<const std::uint8_t> checked_part(const Header& h, std::span<const std::uint8_t> file) {
  return file.first(rest_offset(h)).subspan(kCheckedFrom);
}

std::span<const std::uint8_t> rest_part(const Header& h, std::span<const std::uint8_t> file) {
  return file.subspan(rest_offset(h));
}

const char* View::read(std::span<const std::uint8_t> file, std::uint16_t machine) {
  *this = {};
  if (file.size() < sizeof(Header)) return "it is too short";
  const void* start = file.data();
  const auto* h = static_cast<const Header*>(start);
  if (memcmp(h->magic, kMagic, sizeof kMagic) != 0) return "it is no binding file";
  if (h->format != kFormat) return "its format is another";
  if (h->machine != machine) return "it is for another machine";
  if (h->bytes != file.size()) return "it is not as long as it says";
  header_ = h;
  const char* reason = read_tables(file);
  if (reason == nullptr) reason = check_records();
  if (reason != nullptr) *this = {};
  return reason;
}

bool View::is_whole(std::span<const std::uint8_t> file) const {
  return checksum(checked_part(*header_, file)) == header_->checksum;
}

bool View::is_rest_whole(std::span<const std::uint8_t> file) const {
  return checksum(rest_part(*header_, file)) == header_->rest_checksum;
}

const char* View::read_tables(std::span<const std::uint8_t> file) {
  const Header& h = *header_;
  if (!take(file, h.strings, strings_) || !take(file, h.modules, modules_) ||
      !take(file, h.searches, searches_) || !take(file, h.stamps, stamps_) ||
      !take(file, h.slots, slots_) || !take(file, h.placements, placements_) ||
      !take(file, h.areas, areas_))
    return "a table is outside the file";
  if (h.slots.offset < sizeof(Header) || h.rest > slots_.size() ||
      h.slots.offset + slots_.size_bytes() != file.size())
    return "its slots do not end it";
  if (strings_.empty() || strings_.back() != 0) return "its strings do not end";
  if (modules_.size() < 2 || modules_.size() > kMostModules)
    return "it has too many modules or few";
  return nullptr;
}

const char* View::check_records() const {
  constexpr const char* kString = "a string is outside its table";
  constexpr const char* kModule = "a module is outside its table";
  if (!has(header_->key) || !has(header_->directory) || !has(header_->cpu) || !has(header_->image))
    return kString;
  for (const ModuleRecord& m : modules_) {
    if (!has(m.path)) return kString;
    if (!has_slots(m.first, m.addresses) || !has_slots(m.first_other, m.others))
      return "slots are outside their table";
  }
  auto known = [&](std::uint32_t number) { return number == kNone || number < modules_.size(); };
  for (const SearchRecord& s : searches_) {
    if (!has(s.name) || !has(s.path)) return kString;
    if (s.requester >= modules_.size() || !known(s.module) || !known(s.of)) return kModule;
    if ((s.path == 0) != (s.module == kNone)) return "a search found half a file";
    if (s.by > kLastRule) return "a search by an unknown rule";
  }
  for (const StampRecord& s : stamps_)
    if (!has(s.path)) return kString;
  return check_image();
}

const char* View::check_image() const {
  constexpr std::uint32_t kWrite = 2, kExecute = 4, kAllProt = 7;
  std::uint64_t size = header_->image_bytes, end = 0;
  for (const PlacementRecord& p : placements_) {
    if (p.module < 2 || p.module >= modules_.size()) return "a module is outside its table";
    if (!has_slots(p.first, p.moving) || p.offset > size || p.bytes > size - p.offset ||
        p.head > p.bytes)
      return "a placement is outside its tables";
  }
  for (const AreaRecord& a : areas_) {
    if (a.offset < end || a.offset > size || a.bytes > size - a.offset)
      return "an area is outside the image";
    end = a.offset + a.bytes;
    if (a.prot > kAllProt || (a.prot & (kWrite | kExecute)) == (kWrite | kExecute))
      return "an area is writable and executable";
    if (a.kind > AreaKind::until_relocated) return "an area of an unknown kind";
  }
  return nullptr;
}

}  // namespace myld::binding
