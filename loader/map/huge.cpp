#include "loader/map/huge.hpp"

#include "loader/sys/calls.hpp"

namespace myld::map {

namespace {

/// The huge pages of the file that the segment has whole, by their place in the file.
struct FileRange {
  std::uint64_t offset, bytes;
};
FileRange huge_in_file(const elf::Phdr& load, std::uint64_t offset) {
  std::uint64_t from = round_up(offset, kHugePage),
                to = round_down(offset + load.p_filesz, kHugePage);
  return {from, to > from ? to - from : 0};
}

bool is_code(const elf::Phdr& p) { return p.p_type == PT_LOAD && (p.p_flags & PF_X) != 0; }

}  // namespace

HugePart plan_text(const elf::Segments& segments, std::uint64_t page_size) {
  constexpr std::uint64_t kPage = 4096;  // with larger ones the kernel's huge pages are larger too
  if (segments.align >= kHugePage || page_size != kPage) return {};
  HugePart most;
  for (const elf::Phdr& p : segments.phdrs) {
    if (!is_code(p) || ((p.p_vaddr - p.p_offset) & (segments.align - 1)) != 0) continue;
    FileRange huge = huge_in_file(p, p.p_offset);
    if (huge.bytes <= most.bytes) continue;
    most = {{p.p_vaddr + (huge.offset - p.p_offset)}, huge.bytes, {huge.offset}};
  }
  return most;
}

HugeAnswer ask_for_huge_text(const Mapping& mapping,
                             const elf::Segments& segments,
                             std::uint64_t page_size,
                             const Placed* placed) {
  HugeAnswer answer;
  for (const elf::Phdr& p : segments.phdrs) {
    if (!is_code(p)) continue;
    std::uintptr_t at = (mapping.bias + LinkAddr{p.p_vaddr}).value;
    std::uint64_t offset =
        placed == nullptr ? p.p_offset : placed->offset.value + (at - placed->start.value);
    FileRange huge = huge_in_file(p, offset);
    bool agrees = ((at - offset) & (kHugePage - 1)) == 0;
    (agrees ? answer.bytes : answer.elsewhere) += huge.bytes;
    if (!agrees || huge.bytes == 0) continue;
    std::uintptr_t from = round_down(at, page_size), to = round_up(at + p.p_filesz, page_size);
    long wish = sys::advise(reinterpret_cast<void*>(from), to - from, sys::kMadvHugePage);
    long now = sys::advise(reinterpret_cast<void*>(from), to - from, sys::kMadvCollapse);
    if (wish < 0) answer.wish = wish;
    if (now >= 0) continue;
    answer.now = now;
    long read = sys::advise(reinterpret_cast<void*>(from), to - from, sys::kMadvPopulateRead);
    if (read < 0) answer.read = read;
  }
  return answer;
}

HugePart plan_huge(const elf::Segments& segments, std::uint64_t page_size, const HugePart& text) {
  const elf::Phdr* relro = segments.relro;
  if (relro == nullptr || segments.align > kHugePage || relro->p_memsz < kHugePage) return {};
  std::uint64_t at = round_up(round_down(relro->p_vaddr, page_size), segments.align);
  if (text.bytes != 0) at += (text.at.value - at) & (kHugePage - 1);
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
