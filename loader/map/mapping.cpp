#include "loader/map/mapping.hpp"

#include "loader/base/mem.hpp"
#include "loader/map/huge.hpp"
#include "loader/map/spread.hpp"
#include "loader/sys/calls.hpp"

namespace myld::map {
namespace {

/// mmap(2) where modules go.
long map_anywhere(std::uint64_t bytes, int prot, int flags, int fd, FileOffset offset) {
  long got = sys::map(suggest_place(bytes), bytes, prot, flags, fd, offset.value);
  if (got >= 0) note_place(static_cast<std::uintptr_t>(got));
  return got;
}

/// Where the whole image goes: a hole of the right size and alignment that nothing else can take.
/// `huge.bytes` != 0: its run address is to be a multiple of kHugePage.
Result<Mapping> reserve(const elf::Segments& segments,
                        bool fixed_address,
                        const HugePart& huge,
                        std::uint64_t page_size,
                        const char* object) {
  std::uint64_t bytes = segments.end.value - segments.start.value;
  std::uint64_t align = segments.align > page_size ? segments.align : page_size;
  if (huge.bytes != 0) align = kHugePage;
  int flags = sys::kMapPrivate | sys::kMapAnonymous | sys::kMapNoReserve;
  constexpr int kMapFixedNoReplace = 0x100000;
  if (fixed_address) {
    long got = sys::map(reinterpret_cast<void*>(segments.start.value), bytes, sys::kProtNone,
                        flags | kMapFixedNoReplace, -1, 0);
    if (got >= 0 && static_cast<std::uint64_t>(got) != segments.start.value) {
      sys::unmap(reinterpret_cast<void*>(got), bytes);  // a kernel older than 4.17
      got = -17;                                        // EEXIST
    }
    if (got < 0)
      return Error{.code = Code::cannot_reserve,
                   .sys_errno = static_cast<int>(-got),
                   .object = object,
                   .at = segments.start.value,
                   .value = bytes};
    return Mapping{{segments.start.value}, bytes, {0}, false};
  }
  std::uint64_t room = align > page_size ? bytes + align : bytes;
  long got =
      room < bytes ? -sys::kEnomem : map_anywhere(room, sys::kProtNone, flags, -1, FileOffset{0});
  if (got < 0)
    return Error{.code = Code::cannot_reserve,
                 .sys_errno = static_cast<int>(-got),
                 .object = object,
                 .value = bytes};
  auto at = static_cast<std::uint64_t>(got);
  // The load bias must be a multiple of the largest alignment, or bring the huge part to one.
  std::uint64_t start = at + ((segments.start.value - huge.at.value - at) & (align - 1));
  if (start > at) sys::unmap(reinterpret_cast<void*>(at), start - at);
  if (at + room > start + bytes)
    sys::unmap(reinterpret_cast<void*>(start + bytes), at + room - (start + bytes));
  return Mapping{{start}, bytes, {start - segments.start.value}, false};
}

/// The image at the start of `room`, which becomes a hole first, as one that the kernel gave would
/// be.
Result<Mapping> reserve_in(const Room& room,
                           const elf::Segments& segments,
                           bool fixed_address,
                           std::uint64_t page_size,
                           const char* object) {
  std::uint64_t bytes = segments.end.value - segments.start.value;
  std::uint64_t align = segments.align > page_size ? segments.align : page_size;
  auto fail = [&](int sys_errno) {
    return Error{.code = Code::cannot_reserve,
                 .sys_errno = sys_errno,
                 .object = object,
                 .at = room.start.value,
                 .value = bytes};
  };
  if (((room.start.value - segments.start.value) & (align - 1)) != 0) return fail(sys::kEinval);
  if (fixed_address && room.start.value != segments.start.value) return fail(sys::kEinval);
  if (bytes > room.bytes) return fail(sys::kEnomem);
  long got =
      sys::map(room.start.as<void>(), bytes, sys::kProtNone,
               sys::kMapPrivate | sys::kMapAnonymous | sys::kMapNoReserve | sys::kMapFixed, -1, 0);
  if (got < 0) return fail(static_cast<int>(-got));
  return Mapping{room.start, bytes, {room.start.value - segments.start.value}, true};
}

Status execute(const Step& step, LoadBias bias, int fd, const char* object) {
  void* at = (bias + step.at).as<void>();
  long got = 0;
  switch (step.kind) {
  case Step::Kind::file:
    got = sys::map(at, step.bytes, step.prot, sys::kMapPrivate | sys::kMapFixed, fd,
                   step.offset.value);
    break;
  case Step::Kind::anonymous:
    got = sys::map(at, step.bytes, step.prot,
                   sys::kMapPrivate | sys::kMapFixed | sys::kMapAnonymous, -1, 0);
    break;
  case Step::Kind::zero: memset(at, 0, step.bytes); return {};
  case Step::Kind::none: return {};
  }
  if (got < 0)
    return Error{.code = Code::cannot_map,
                 .sys_errno = static_cast<int>(-got),
                 .object = object,
                 .at = step.at.value,
                 .value = step.bytes};
  return {};
}

/// Zeroes the rest of a page whose segment is not writable: opened for the write, then closed
/// again.
Status
zero_protected(const Step& step, LoadBias bias, std::uint64_t page_size, const char* object) {
  std::uintptr_t at = (bias + step.at).value;
  auto* page = reinterpret_cast<void*>(round_down(at, page_size));
  long got = sys::protect(page, page_size, sys::kProtRead | sys::kProtWrite);
  if (got == 0) {
    memset(reinterpret_cast<void*>(at), 0, step.bytes);
    got = sys::protect(page, page_size, step.prot);
  }
  if (got < 0)
    return Error{.code = Code::cannot_protect,
                 .sys_errno = static_cast<int>(-got),
                 .object = object,
                 .at = step.at.value};
  return {};
}

Status map_segment(const elf::Phdr& load,
                   const elf::Segments& segments,
                   const Base& base,
                   const Mapping& mapping,
                   int fd,
                   std::uint64_t page_size,
                   const char* object,
                   bool as_data) {
  Step steps[3];
  std::size_t count = plan_segment(load, page_size, steps);
  for (std::size_t i = 0; i < count; ++i) {
    if (base.covers(segments, steps[i])) continue;
    if (as_data) steps[i].prot &= static_cast<std::uint8_t>(~sys::kProtExec);
    if (steps[i].kind == Step::Kind::zero && (steps[i].prot & sys::kProtWrite) == 0)
      MYLD_CHECK(zero_protected(steps[i], mapping.bias, page_size, object));
    else
      MYLD_CHECK(execute(steps[i], mapping.bias, fd, object));
    // Before the rest of the last page is zeroed.
    if (steps[i].kind == Step::Kind::file && (load.p_flags & PF_W) != 0 && !as_data)
      bring_in_written(mapping.bias, load, segments, page_size);
  }
  return {};
}

Result<Mapping>
map_base(const Base& base, const elf::Segments& segments, int fd, const char* object) {
  long got = map_anywhere(base.bytes, sys::kProtRead, sys::kMapPrivate, fd, base.offset);
  if (got < 0)
    return Error{.code = Code::cannot_reserve,
                 .sys_errno = static_cast<int>(-got),
                 .object = object,
                 .value = base.bytes};
  auto at = static_cast<std::uintptr_t>(got);
  return Mapping{{at}, base.bytes, {at - segments.start.value}, false};
}

}  // namespace

int protection(std::uint32_t p_flags) {
  return ((p_flags & PF_R) != 0 ? sys::kProtRead : 0) |
         ((p_flags & PF_W) != 0 ? sys::kProtWrite : 0) |
         ((p_flags & PF_X) != 0 ? sys::kProtExec : 0);
}

std::size_t plan_segment(const elf::Phdr& load, std::uint64_t page_size, Step (&steps)[3]) {
  std::size_t n = 0;
  auto prot = static_cast<std::uint8_t>(protection(load.p_flags));
  std::uint64_t start = round_down(load.p_vaddr, page_size);
  std::uint64_t file_end = load.p_vaddr + load.p_filesz;
  std::uint64_t end = load.p_vaddr + load.p_memsz;
  std::uint64_t file_pages_end = round_up(file_end, page_size);
  if (load.p_filesz != 0) {
    steps[n++] = {Step::Kind::file,
                  prot,
                  {start},
                  file_pages_end - start,
                  {round_down(load.p_offset, page_size)}};
    if (end > file_end && file_pages_end > file_end) {
      std::uint64_t zero_end = end < file_pages_end ? end : file_pages_end;
      // Linkers expect the rest of the page to be zero even beyond p_memsz (gABI: "the last data
      // page has a copy of whatever follows"); zeroing to the end of memsz is all that is promised.
      steps[n++] = {Step::Kind::zero, prot, {file_end}, zero_end - file_end, {0}};
    }
  } else {
    file_pages_end = start;
  }
  std::uint64_t pages_end = round_up(end, page_size);
  if (pages_end > file_pages_end)
    steps[n++] = {Step::Kind::anonymous, prot, {file_pages_end}, pages_end - file_pages_end, {0}};
  return n;
}

Base plan_base(const elf::Segments& segments, std::uint64_t page_size) {
  if (segments.align > page_size) return {};
  Base base;
  std::uint64_t end = segments.start.value;
  for (const elf::Phdr& p : segments.phdrs) {
    if (p.p_type != PT_LOAD || p.p_memsz == 0) continue;
    if (round_down(p.p_vaddr, page_size) > end) return {};
    if (end == segments.start.value) {
      if (p.p_filesz == 0 || protection(p.p_flags) != sys::kProtRead) return {};
      base.offset = {round_down(p.p_offset, page_size)};
    }
    end = round_up(p.p_vaddr + p.p_memsz, page_size);
  }
  // A segment of no bytes may lie behind the others, with pages between that are nobody's.
  if (end != segments.end.value) return {};
  base.bytes = end - segments.start.value;
  return base;
}

bool Base::covers(const elf::Segments& segments, const Step& step) const {
  if (bytes == 0 || step.kind != Step::Kind::file) return false;
  if (first_alone) return step.at == segments.start;
  return step.prot == sys::kProtRead &&
         step.offset.value - offset.value == step.at.value - segments.start.value;
}

Status map_segments(int fd,
                    const elf::Segments& segments,
                    bool fixed_address,
                    std::uint64_t page_size,
                    const char* object,
                    const Room& room,
                    Wishes wishes,
                    Mapping& out) {
  bool anywhere = !fixed_address && room.bytes == 0, chooses = anywhere && !wishes.as_data;
  HugePart text = chooses && wishes.huge_text ? plan_text(segments, page_size) : HugePart{};
  HugePart huge = chooses ? plan_huge(segments, page_size, text) : HugePart{};
  if (huge.bytes == 0 || !huge_pages_are_given()) huge = {};
  const HugePart& at_multiple = huge.bytes != 0 ? huge : text;
  Base base = anywhere && at_multiple.bytes == 0 ? plan_base(segments, page_size) : Base{};
  base.first_alone = arch::runs_under_valgrind();
  if (room.bytes != 0)
    out = MYLD_TRY(reserve_in(room, segments, fixed_address, page_size, object));
  else
    out = MYLD_TRY(base.bytes != 0
                       ? map_base(base, segments, fd, object)
                       : reserve(segments, fixed_address, at_multiple, page_size, object));
  auto all = [&]() -> Status {
    for (const elf::Phdr& p : segments.phdrs)
      if (p.p_type == PT_LOAD && p.p_memsz != 0)
        MYLD_CHECK(map_segment(p, segments, base, out, fd, page_size, object, wishes.as_data));
    if (huge.bytes == 0) return {};
    return fill_huge(huge, out.bias, fd, sys::kProtRead | sys::kProtWrite, object);
  };
  Status status = all();
  if (!status) {
    unmap(out);
    out = {};
  }
  return status;
}

Status map_again(int fd,
                 const elf::Segments& segments,
                 const Mapping& mapping,
                 std::uint64_t page_size,
                 const char* object) {
  constexpr int kFlags =
      sys::kMapPrivate | sys::kMapAnonymous | sys::kMapNoReserve | sys::kMapFixed;
  long got = sys::map(mapping.start.as<void>(), mapping.bytes, sys::kProtNone, kFlags, -1, 0);
  if (got < 0)
    return Error{.code = Code::cannot_map,
                 .sys_errno = static_cast<int>(-got),
                 .object = object,
                 .value = mapping.bytes};
  for (const elf::Phdr& p : segments.phdrs)
    if (p.p_type == PT_LOAD && p.p_memsz != 0)
      MYLD_CHECK(map_segment(p, segments, Base{}, mapping, fd, page_size, object, false));
  return {};
}

void check_branch_targets(const Mapping& mapping,
                          const elf::Segments& segments,
                          std::uint64_t page_size) {
  for (const elf::Phdr& p : segments.phdrs) {
    if (p.p_type != PT_LOAD || (p.p_flags & PF_X) == 0) continue;
    std::uintptr_t from = round_down((mapping.bias + LinkAddr{p.p_vaddr}).value, page_size);
    std::uintptr_t to = round_up((mapping.bias + LinkAddr{p.p_vaddr + p.p_memsz}).value, page_size);
    sys::protect(reinterpret_cast<void*>(from), to - from,
                 protection(p.p_flags) | arch::Port::kBranchTargets.prot);
  }
}

WrittenPart
plan_written(const elf::Phdr& load, const elf::Segments& segments, std::uint64_t page_size) {
  constexpr std::uint64_t kLeast = 3, kMost = 16, kMostBehind = 2;  // pages
  const elf::Phdr* relro = segments.relro;
  if (relro == nullptr || relro->p_vaddr - load.p_vaddr >= load.p_filesz) return {};
  std::uint64_t start = round_down(relro->p_vaddr, page_size),
                end = round_up(relro->p_vaddr + relro->p_memsz, page_size),
                file_end = load.p_vaddr + load.p_filesz, last = round_up(file_end, page_size);
  bool is_zeroed = load.p_memsz > load.p_filesz && last != file_end;  // what is left of that page
  if (end > last || (is_zeroed && last - end <= kMostBehind * page_size)) end = last;
  std::uint64_t pages = (end - start) / page_size;
  return pages >= kLeast && pages <= kMost ? WrittenPart{{start}, end - start} : WrittenPart{};
}

void bring_in_written(LoadBias bias,
                      const elf::Phdr& load,
                      const elf::Segments& segments,
                      std::uint64_t page_size) {
  WrittenPart part = plan_written(load, segments, page_size);
  if (part.bytes != 0)
    sys::advise((bias + part.at).as<void>(), part.bytes, sys::kMadvPopulateWrite);
}

void prepare_dynamic(const Mapping& mapping, const elf::Segments& segments) {
  const elf::Phdr* dynamic = segments.dynamic;
  if (dynamic == nullptr || dynamic->p_filesz < sizeof(elf::Dyn)) return;
  const elf::Phdr* load = segments.find_in_file({dynamic->p_vaddr}, dynamic->p_filesz);
  if (load == nullptr || (load->p_flags & PF_W) == 0) return;
  // One access that writes, and stores what was there.
  __atomic_fetch_or((mapping.bias + LinkAddr{dynamic->p_vaddr}).as<std::uint64_t>(), 0,
                    __ATOMIC_RELAXED);
}

void unmap(const Mapping& mapping) {
  if (!mapping.in_room) {
    sys::unmap(mapping.start.as<void>(), mapping.bytes);
    return;
  }
  sys::map(mapping.start.as<void>(), mapping.bytes, sys::kProtNone,
           sys::kMapPrivate | sys::kMapAnonymous | sys::kMapNoReserve | sys::kMapFixed, -1, 0);
}

bool in_relro(const elf::Segments& segments, LinkAddr at, std::uint64_t page_size) {
  const elf::Phdr* relro = segments.relro;
  return relro != nullptr && at.value >= round_down(relro->p_vaddr, page_size) &&
         at.value < round_down(relro->p_vaddr + relro->p_memsz, page_size);
}

bool seal(const Mapping& mapping,
          const elf::Segments& segments,
          std::uint64_t page_size,
          const void* unsealed) {
  // All up to the first writable page is one range without gaps, if the loader mapped it: one call.
  // The kernel leaves gaps between the segments of a program, and then nothing is sealed at once.
  std::uint64_t end = segments.start.value;
  for (const elf::Phdr& p : segments.phdrs) {
    if (p.p_type != PT_LOAD) continue;
    if ((p.p_flags & PF_W) != 0) {
      if (in_relro(segments, {p.p_vaddr}, page_size))
        end = round_down(segments.relro->p_vaddr + segments.relro->p_memsz, page_size);
      break;
    }
    end = round_up(p.p_vaddr + p.p_memsz, page_size);
  }
  auto one = [&](std::uint64_t from, std::uint64_t to) {
    return to <= from ? 0 : sys::seal((mapping.bias + LinkAddr{from}).as<void>(), to - from);
  };
  // Where the range is cut in two; at its end if it is not.
  std::uint64_t hole = round_down(reinterpret_cast<std::uintptr_t>(unsealed), page_size);
  hole = unsealed == nullptr ? end : hole - mapping.bias.value;
  auto range = [&](std::uint64_t from, std::uint64_t to) {
    if (hole < from || hole >= to) return one(from, to);
    long sealed = one(from, hole);
    return sealed < 0 ? sealed : one(hole + page_size, to);
  };
  long sealed = range(segments.start.value, end);
  if (sealed != -sys::kEnomem) return sealed != -sys::kEnosys;
  for (const elf::Phdr& p : segments.phdrs)
    if (p.p_type == PT_LOAD && p.p_vaddr < end) {
      std::uint64_t stop = round_up(p.p_vaddr + p.p_memsz, page_size);
      range(round_down(p.p_vaddr, page_size), stop < end ? stop : end);
    }
  return true;
}

Status protect_relro(const Mapping& mapping,
                     const elf::Segments& segments,
                     std::uint64_t page_size,
                     const char* object) {
  if (segments.relro == nullptr) return {};
  const std::uint64_t start = round_down(segments.relro->p_vaddr, page_size),
                      end =
                          round_down(segments.relro->p_vaddr + segments.relro->p_memsz, page_size);
  // By segments: the kernel leaves holes between those of a program.
  for (const elf::Phdr& p : segments.phdrs) {
    if (p.p_type != PT_LOAD || (p.p_flags & PF_W) == 0) continue;
    std::uint64_t from = round_down(p.p_vaddr, page_size),
                  to = round_up(p.p_vaddr + p.p_memsz, page_size);
    if (from < start) from = start;
    if (to > end) to = end;
    if (to <= from) continue;
    long got = sys::protect((mapping.bias + LinkAddr{from}).as<void>(), to - from, sys::kProtRead);
    if (got < 0)
      return Error{.code = Code::cannot_protect,
                   .sys_errno = static_cast<int>(-got),
                   .object = object,
                   .subject = "PT_GNU_RELRO",
                   .at = segments.relro->p_vaddr,
                   .value = segments.relro->p_memsz};
  }
  return {};
}

}  // namespace myld::map
