#include "rtld/binding/identity.hpp"

#include "loader/base/mem.hpp"

namespace myld::binding {

Identity identity_of(const sys::Stat& s) {
  return {.device = s.st_dev,
          .inode = s.st_ino,
          .bytes = s.st_size,
          .content_s = s.st_mtime_s,
          .inode_s = s.st_ctime_s,
          .content_ns = static_cast<std::uint32_t>(s.st_mtime_ns),
          .inode_ns = static_cast<std::uint32_t>(s.st_ctime_ns)};
}

BuildId build_id_of(const elf::Image& image) {
  constexpr std::uint32_t kType = 3;  // NT_GNU_BUILD_ID
  std::span<const std::uint8_t> note = elf::find_note(image, "GNU", kType);
  BuildId id{};
  std::size_t n = note.size() < sizeof id.bytes ? note.size() : sizeof id.bytes;
  id.length = static_cast<std::uint8_t>(n);
  memcpy(id.bytes, note.data(), n);
  return id;
}

}  // namespace myld::binding
