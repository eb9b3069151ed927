#include "loader/map/huge.hpp"

#include "loader/sys/calls.hpp"

namespace myld::map {

HugePart plan_huge(const elf::Segments& segments, std::uint64_t page_size) {
  const elf::Phdr* relro = segments.relro;
  if (relro == nullptr || segments.align > kHugePage || relro->p_memsz < kHugePage) return {};
  std::uint64_t at = round_up(round_down(relro->p_vaddr, page_size), segments.align);
  for (const elf::Phdr& p : segments.phdrs) {
    if (p.p_type != PT_LOAD || (p.p_flags & PF_W) == 0 || p.p_vaddr > relro->p_vaddr) continue;
    std::uint64_t end = p.p_vaddr + p.p_filesz, relro_end = relro->p_vaddr + relro->p_memsz;
    if (end <= relro->p_vaddr) continue;
    if (relro_end < end) end = relro_end;
    if (at >= end) return {};
    std::uint64_t offset =
        round_down(p.p_offset, page_size) + (at - round_down(p.p_vaddr, page_size));
    return {{at}, round_down(end - at, kHugePage), {offset}};
  }
  return {};
}

bool huge_pages_are_given() {
  enum class Known : std::uint8_t { no, given, refused };
  static constinit Known known = Known::no;
  if (known == Known::no) {
    char text[64];
    long got = -1;
    long fd = sys::open_for_reading("/sys/kernel/mm/transparent_hugepage/enabled");
    if (fd >= 0) {
      got = sys::pread_full(static_cast<int>(fd), text, sizeof text - 1, 0);
      sys::close(static_cast<int>(fd));
    }
    // "always [madvise] never": the choice is in brackets.
    known = Known::refused;
    for (long i = 0; i + 1 < got; ++i)
      if (text[i] == '[' && text[i + 1] != 'n') known = Known::given;
  }
  return known == Known::given;
}

Status fill_huge(const HugePart& part, LoadBias bias, int fd, int prot, const char* object) {
  void* at = (bias + part.at).as<void>();
  long got =
      sys::map(at, part.bytes, prot, sys::kMapPrivate | sys::kMapAnonymous | sys::kMapFixed, -1, 0);
  if (got < 0)
    return Error{.code = Code::cannot_map,
                 .sys_errno = static_cast<int>(-got),
                 .object = object,
                 .at = part.at.value,
                 .value = part.bytes};
  sys::advise(at, part.bytes, sys::kMadvHugePage);  // a wish: refused, it is small pages
  got = sys::pread_full(fd, at, part.bytes, part.offset.value);
  if (got < 0)
    return Error{.code = Code::cannot_read, .sys_errno = static_cast<int>(-got), .object = object};
  if (static_cast<std::uint64_t>(got) != part.bytes)
    return Error{.code = Code::file_too_short,
                 .object = object,
                 .subject = "segment",
                 .at = part.offset.value,
                 .value = static_cast<std::uint64_t>(got)};
  return {};
}

}  // namespace myld::map
