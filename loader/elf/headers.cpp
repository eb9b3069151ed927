#include "loader/elf/headers.hpp"

#include "loader/base/mem.hpp"

namespace myld::elf {
namespace {

[[gnu::cold]] Error
field(Code code, const char* object, const char* name, std::uint64_t at, std::uint64_t value) {
  return {.code = code, .object = object, .subject = name, .at = at, .value = value};
}

const char* segment_name(std::uint32_t type) {
  switch (type) {
  case PT_LOAD: return "PT_LOAD";
  case PT_DYNAMIC: return "PT_DYNAMIC";
  case PT_INTERP: return "PT_INTERP";
  case PT_PHDR: return "PT_PHDR";
  case PT_TLS: return "PT_TLS";
  case PT_GNU_EH_FRAME: return "PT_GNU_EH_FRAME";
  case PT_GNU_STACK: return "PT_GNU_STACK";
  case PT_GNU_RELRO: return "PT_GNU_RELRO";
  case PT_GNU_PROPERTY: return "PT_GNU_PROPERTY";
  default: return "program header";
  }
}

struct Checker {
  Segments facts;
  std::uint64_t file_size, page_size;
  SegmentPolicy policy;
  const char* object;
  std::uint64_t previous_end = 0;
  const Phdr* in_memory = nullptr;  ///< the last PT_LOAD so far that has any bytes
  std::size_t load_count = 0;
  /// Those that are only to be there once.
  const Phdr *stack = nullptr, *interp = nullptr, *phdr = nullptr, *property = nullptr;

  Status load(const Phdr& p, std::uint64_t index);
  [[gnu::noinline]] bool spoils_page(const Phdr& p) const;
  Status other(const Phdr& p, std::uint64_t index);
  Status unique(const Phdr*& slot, const Phdr& p, std::uint64_t index);
};

/// A page that two segments share is mapped as the later one asks. What was found in the earlier
/// one would then not be there, or not as its flags say: the tables that are read from it, the
/// places that are relocated, the code that is called.
bool Checker::spoils_page(const Phdr& p) const {
  if (in_memory == nullptr || p.p_memsz == 0) return false;
  const Phdr& before = *in_memory;
  std::uint64_t page = round_down(p.p_vaddr, page_size);
  if (page >= before.p_vaddr + before.p_memsz) return false;
  constexpr std::uint32_t kAccess = PF_R | PF_W | PF_X;
  if ((before.p_flags & ~p.p_flags & kAccess) != 0) return true;
  return p.p_filesz == 0 && before.p_filesz != 0 && page < before.p_vaddr + before.p_filesz;
}

Status Checker::load(const Phdr& p, std::uint64_t index) {
  if (p.p_filesz > p.p_memsz)
    return field(Code::segment_filesz_above_memsz, object, "p_filesz", index, p.p_filesz);
  if (p.p_offset > file_size || p.p_filesz > file_size - p.p_offset)
    return field(Code::segment_outside_file, object, "PT_LOAD", index, p.p_offset + p.p_filesz);
  if (p.p_align != 0 && !is_power_of_two(p.p_align))
    return field(Code::segment_bad_align, object, "p_align", index, p.p_align);
  // An alignment of less than a page asks for nothing that mapping does not give.
  if (((p.p_vaddr - p.p_offset) & (page_size - 1)) != 0)
    return field(Code::segment_misaligned, object, "p_offset", index, p.p_offset);
  if (p.p_vaddr >= kUserAddressEnd || p.p_memsz > kUserAddressEnd - p.p_vaddr)
    return field(Code::segment_address, object, "p_vaddr", index, p.p_vaddr);
  if (load_count != 0 && p.p_vaddr < previous_end)
    return field(Code::segment_order, object, "p_vaddr", index, p.p_vaddr);
  if (round_down(p.p_vaddr, page_size) < previous_end && spoils_page(p))
    return field(Code::segment_shares_page, object, "p_vaddr", index, p.p_vaddr);
  if ((p.p_flags & (PF_W | PF_X)) == (PF_W | PF_X) && !policy.allow_writable_executable)
    return field(Code::segment_writable_executable, object, "p_flags", index, p.p_flags);
  if (load_count == 0) facts.start = {round_down(p.p_vaddr, page_size)};
  previous_end = p.p_vaddr + p.p_memsz;
  facts.end = {round_up(previous_end, page_size)};
  if (p.p_align > facts.align) facts.align = p.p_align;
  if (p.p_memsz != 0) in_memory = &p;
  ++load_count;
  return {};
}

Status Checker::unique(const Phdr*& slot, const Phdr& p, std::uint64_t index) {
  if (slot != nullptr)
    return field(Code::duplicate_header, object, segment_name(p.p_type), index, 0);
  slot = &p;
  return {};
}

Status Checker::other(const Phdr& p, std::uint64_t index) {
  switch (p.p_type) {
  case PT_DYNAMIC: return unique(facts.dynamic, p, index);
  case PT_TLS: return unique(facts.tls, p, index);
  case PT_GNU_RELRO: return unique(facts.relro, p, index);
  case PT_GNU_STACK: return unique(stack, p, index);
  case PT_GNU_EH_FRAME: return unique(facts.eh_frame, p, index);
  case PT_INTERP: return unique(interp, p, index);
  case PT_PHDR: return unique(phdr, p, index);
  case PT_GNU_PROPERTY: return unique(property, p, index);
  default: return {};
  }
}

/// Headers that describe a part of the memory image must lie in it.
Status check_parts(Segments& s, const Phdr* phdr, std::uint64_t page_size, const char* object) {
  for (const Phdr* p : {s.dynamic, s.tls, s.eh_frame, phdr}) {
    if (p == nullptr) continue;
    auto index = static_cast<std::uint64_t>(p - s.phdrs.data());
    if (p->p_filesz > p->p_memsz)
      return field(Code::segment_filesz_above_memsz, object, "p_filesz", index, p->p_filesz);
    // A TLS block without an image says nothing of the file's memory.
    std::uint64_t bytes = p->p_type == PT_TLS ? p->p_filesz : p->p_memsz;
    if (bytes != 0 && s.find_in_file({p->p_vaddr}, p->p_filesz) == nullptr)
      return field(Code::header_outside_segment, object, segment_name(p->p_type), index,
                   p->p_vaddr);
  }
  if (s.relro != nullptr && s.relro->p_memsz != 0) {
    // Linkers round RELRO up to the page, past the end of the segment's memory; mold begins it
    // before the segment where an empty TLS block stands first, and lays it over several segments.
    std::uint64_t end = s.relro->p_vaddr + s.relro->p_memsz;
    if (end < s.relro->p_vaddr || s.find_in_pages({s.relro->p_vaddr}, 0, page_size) == nullptr ||
        s.find_in_pages({end}, 0, page_size) == nullptr)
      return field(Code::header_outside_segment, object, "PT_GNU_RELRO",
                   static_cast<std::uint64_t>(s.relro - s.phdrs.data()), s.relro->p_vaddr);
  }
  if (s.tls != nullptr) {
    const Phdr& t = *s.tls;
    auto index = static_cast<std::uint64_t>(&t - s.phdrs.data());
    if (t.p_align > 1 && !is_power_of_two(t.p_align))
      return field(Code::bad_tls_segment, object, "p_align", index, t.p_align);
    if (t.p_align > (std::uint64_t{1} << 30))
      return field(Code::bad_tls_segment, object, "p_align", index, t.p_align);
    if (t.p_memsz > (std::uint64_t{1} << 40))
      return field(Code::bad_tls_segment, object, "p_memsz", index, t.p_memsz);
  }
  if (s.dynamic != nullptr && s.dynamic->p_vaddr % alignof(Dyn) != 0)
    return field(Code::header_outside_segment, object, "PT_DYNAMIC",
                 static_cast<std::uint64_t>(s.dynamic - s.phdrs.data()), s.dynamic->p_vaddr);
  return {};
}

}  // namespace

const Phdr* Segments::first_of(std::uint32_t p_type) const {
  for (const Phdr& p : phdrs)
    if (p.p_type == p_type) return &p;
  return nullptr;
}

bool Segments::scattered() const {
  constexpr std::size_t kFew = 64;
  if (loads.size() <= kFew) return false;
  std::size_t count = 0;
  for (const Phdr& p : loads) count += p.p_type == PT_LOAD ? 1 : 0;
  return loads.size() > count * 2 + kFew;
}

const Phdr* Segments::find(LinkAddr at, std::uint64_t bytes) const {
  for (const Phdr& p : loads)
    if (p.p_type == PT_LOAD && at.value >= p.p_vaddr && at.value - p.p_vaddr <= p.p_memsz &&
        bytes <= p.p_memsz - (at.value - p.p_vaddr))
      return &p;
  return nullptr;
}

const Phdr*
Segments::find_in_pages(LinkAddr at, std::uint64_t bytes, std::uint64_t page_size) const {
  for (const Phdr& p : phdrs) {
    if (p.p_type != PT_LOAD) continue;
    std::uint64_t start = round_down(p.p_vaddr, page_size),
                  end = round_up(p.p_vaddr + p.p_memsz, page_size);
    if (at.value >= start && at.value <= end && bytes <= end - at.value) return &p;
  }
  return nullptr;
}

const Phdr* Segments::find_in_file(LinkAddr at, std::uint64_t bytes) const {
  for (const Phdr& p : loads)
    if (p.p_type == PT_LOAD && (p.p_flags & PF_R) != 0 && at.value >= p.p_vaddr &&
        at.value - p.p_vaddr <= p.p_filesz && bytes <= p.p_filesz - (at.value - p.p_vaddr))
      return &p;
  return nullptr;
}

const Phdr* Segments::find_mapped(std::uint64_t offset, std::uint64_t bytes) const {
  for (const Phdr& p : loads)
    if (p.p_type == PT_LOAD && (p.p_flags & PF_R) != 0 && offset >= p.p_offset &&
        offset - p.p_offset <= p.p_filesz && bytes <= p.p_filesz - (offset - p.p_offset))
      return &p;
  return nullptr;
}

bool Segments::is_code(LinkAddr at) const {
  const Phdr* load = find(at, 1);
  return load != nullptr && (load->p_flags & PF_X) != 0;
}

Result<Ehdr> check_header(std::span<const std::uint8_t> bytes,
                          std::uint64_t file_size,
                          const char* object,
                          std::uint16_t machine) {
  if (bytes.size() < sizeof(Ehdr))
    return field(Code::file_too_short, object, "ELF header", 0, bytes.size());
  Ehdr e;
  memcpy(&e, bytes.data(), sizeof e);
  if (e.e_ident[0] != 0x7f || e.e_ident[1] != 'E' || e.e_ident[2] != 'L' || e.e_ident[3] != 'F')
    return field(Code::not_elf, object, "e_ident", 0, 0);
  if (e.e_ident[EI_CLASS] != ELFCLASS64)
    return field(Code::wrong_class, object,
                 e.e_ident[EI_CLASS] == ELFCLASS32 ? "ELFCLASS32" : "ELFCLASSNONE", EI_CLASS,
                 e.e_ident[EI_CLASS]);
  if (e.e_ident[EI_DATA] != ELFDATA2LSB)
    return field(Code::wrong_byte_order, object, "EI_DATA", EI_DATA, e.e_ident[EI_DATA]);
  if (e.e_ident[EI_VERSION] != EV_CURRENT || e.e_version != EV_CURRENT)
    return field(Code::wrong_version, object, "e_version", EI_VERSION, e.e_version);
  if (e.e_ident[EI_OSABI] != ELFOSABI_SYSV && e.e_ident[EI_OSABI] != ELFOSABI_GNU)
    return field(Code::wrong_osabi, object, "EI_OSABI", EI_OSABI, e.e_ident[EI_OSABI]);
  if (machine != kAnyMachine && e.e_machine != machine)
    return field(Code::wrong_machine, object, "e_machine", 18, e.e_machine);
  if (e.e_type != ET_DYN && e.e_type != ET_EXEC)
    return field(Code::wrong_type, object, "e_type", 16, e.e_type);
  if (e.e_phentsize != sizeof(Phdr))
    return field(Code::bad_phentsize, object, "e_phentsize", 54, e.e_phentsize);
  if (e.e_phnum == 0 || e.e_phnum == PN_XNUM)
    return field(Code::bad_phnum, object, "e_phnum", 56, e.e_phnum);
  std::uint64_t bytes_of_phdrs = std::uint64_t{e.e_phnum} * sizeof(Phdr);
  if (e.e_phoff > file_size || bytes_of_phdrs > file_size - e.e_phoff)
    return field(Code::phdr_outside_file, object, "e_phoff", 32, e.e_phoff);
  return e;
}

Result<Segments> check_segments(std::span<const Phdr> phdrs,
                                std::uint64_t file_size,
                                std::uint64_t page_size,
                                SegmentPolicy policy,
                                const char* object) {
  Checker c{{}, file_size, page_size, policy, object};
  c.facts.phdrs = phdrs;
  c.facts.align = page_size;
  std::size_t first = 0, last = 0;
  for (std::size_t i = 0; i < phdrs.size(); ++i) {
    if (phdrs[i].p_type == PT_LOAD) {
      if (c.load_count == 0) first = i;
      last = i;
      MYLD_CHECK(c.load(phdrs[i], i));
    } else {
      MYLD_CHECK(c.other(phdrs[i], i));
    }
  }
  if (c.load_count == 0) return field(Code::no_load_segment, object, "PT_LOAD", 0, 0);
  c.facts.loads = phdrs.subspan(first, last + 1 - first);
  MYLD_CHECK(check_parts(c.facts, c.phdr, page_size, object));
  return c.facts;
}

}  // namespace myld::elf
