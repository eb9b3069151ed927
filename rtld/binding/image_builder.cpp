#include "rtld/binding/image_builder.hpp"

#include "arch/port.hpp"
#include "loader/base/mem.hpp"
#include "loader/map/huge.hpp"
#include "rtld/relocate/relocate.hpp"

namespace myld::binding {

using arch::Port;
using arch::RelocKind;
using elf::Rela;
using load::Module;

namespace {

Error cannot(const char* object, const char* why) {
  return {.code = Code::cannot_bind, .object = object, .subject = why};
}

/// How many bytes of a module's memory, from its start, are the file's from its start, with the
/// program headers among them. 0: that is not so.
std::uint64_t bytes_of_head(const Module& m) {
  const elf::Segments& s = m.image.segments;
  if (s.loads.empty()) return 0;
  const elf::Phdr& first = s.loads.front();
  if (first.p_vaddr - s.start.value != first.p_offset) return 0;
  std::uint64_t bytes = first.p_offset + first.p_filesz;
  std::uint64_t headers = RunAddr::of(m.headers).value - m.mapping.start.value;
  bool inside = headers < bytes && s.phdrs.size_bytes() <= bytes - headers;
  return inside && bytes <= UINT32_MAX ? bytes : 0;
}

bool has_place(const Module& m) {
  return !m.image.text_relocations && can_lie_ready(m.image.segments) && bytes_of_head(m) != 0;
}

}  // namespace

/// A random multiple of `align` between 3/256 and 17/2048 of the address space below its end: under
/// the area in which the kernel maps things, where that is no larger than it is by default, and
/// where the sanitizers that divide the address space (ThreadSanitizer) let libraries be. 2^26
/// places on x86-64 for pages, 2^17 for huge ones.
Status ImageBuilder::choose(std::uint64_t bytes, std::uint64_t align) {
  const auto* random = reinterpret_cast<const std::uint64_t*>(runtime_.stack.get(sys::kAtRandom));
  if (random == nullptr) return cannot("image", "there is no AT_RANDOM");
  // AT_RANDOM's bytes are on the stack, in the topmost half.
  std::uint64_t half = std::uint64_t{1}
                       << (63 - __builtin_clzl(reinterpret_cast<std::uintptr_t>(random)));
  std::uint64_t end = half * 2, from = end - end / 256 * 3, to = end - end / 2048 * 17;
  std::uint64_t bits = (random[0] ^ sys::realtime_ns()) * 0x9e3779b97f4a7c15;
  if (bytes >= (to - from) / 2) return cannot("image", "it is too large");
  at_ = from + (bits >> 8) % ((to - from - bytes) / align) * align;
  return {};
}

Status ImageBuilder::place(const Numbers& numbers, std::uint64_t at) {
  std::uint64_t page = runtime_.loader.page_size;
  std::uint64_t most = page;  // with what alignment may take
  bool huge = false;          // address and offset in the image agree then, for all code
  for (std::uint32_t i = 2; i < numbers.count(); ++i) {
    const elf::Segments& s = numbers.module(i)->image.segments;
    most += s.end.value - s.start.value + s.align;
    huge = huge || (runtime_.loader.policy.huge_text && map::plan_text(s, page).bytes != 0);
  }
  at_ = at;
  if (at == 0) MYLD_CHECK(choose(most, huge ? map::kHugePage : page));
  // What begins the file is no ELF header, so that nobody takes all of it for the first library.
  std::uint64_t next = at_ + page;
  for (std::uint32_t i = 0; i < numbers.count(); ++i) {
    const Module& m = *numbers.module(i);
    const elf::Segments& s = m.image.segments;
    Place p{.is_fixed = i >= 2 && has_place(m)};
    if (p.is_fixed) {
      next += (s.start.value - next) & (s.align - 1);  // the bias is a multiple of it
      p.bias = next - s.start.value;
      p.offset = next - at_;
      p.bytes = s.end.value - s.start.value;
      next += p.bytes;
    }
    if (!places_.push(p)) return Error{.code = Code::out_of_memory, .object = "image"};
  }
  if (!memory_.allocate(next - at_))
    return Error{.code = Code::out_of_memory, .object = "image", .value = next - at_};
  memcpy(memory_.data(), kImageMagic, sizeof kImageMagic);
  return {};
}

/// Which words of a module a start stores: those that lead to what has no place, and those that
/// depend on the process.
bool ImageBuilder::find_stored(const Module& m,
                               std::span<const Slot> moving,
                               std::span<const Slot> others,
                               Vec<StoredRange>& out) const {
  const elf::Image& image = m.image;
  for (const Slot& s : moving)
    if (!out.push({s.at, 8})) return false;
  bool in_plt = false;
  for (const Slot& s : others) {
    bool plt = s.at >= image.rela.size();
    in_plt = in_plt || plt;
    const Rela& r = plt ? image.jmprel[s.at - image.rela.size()] : image.rela[s.at];
    RelocKind kind = Port::reloc_kind(elf::reloc_type(r));
    std::uint64_t bytes = kind == RelocKind::copy ? image.symbols[elf::reloc_symbol(r)].st_size
                                                  : relocate::stored_bytes(kind);
    if (!out.push({r.r_offset, bytes})) return false;
  }
  if (!in_plt || image.got_plt == nullptr) return true;
  std::uint64_t got = (RunAddr::of(image.got_plt) - image.bias).value;
  return out.push({got, Port::kGotPlt.reserved * sizeof(std::uintptr_t)});
}

bool ImageBuilder::copy(const Module& m, const Place& p) {
  PageStates pages;
  if (!pages.make(m.image.segments, runtime_.loader.page_size)) return false;
  pages.each_in_file([&](std::uint64_t from, std::uint64_t to) {
    memcpy(memory_.data() + p.offset + (from - m.image.segments.start.value),
           m.image.at<const void>({from}), to - from);
  });
  return true;
}

bool ImageBuilder::add_areas(const Module& m, Place& p, std::span<const StoredRange> stored) {
  p.first_area = static_cast<std::uint32_t>(areas_.size());
  PageStates pages;
  if (!pages.make(m.image.segments, runtime_.loader.page_size)) return false;
  pages.open(stored);
  pages.join_small();
  if (!pages.append(p.offset, areas_)) return false;
  p.areas = static_cast<std::uint32_t>(areas_.size()) - p.first_area;
  return true;
}

/// Modules are added in the order of relocation, and lie in that of loading.
bool ImageBuilder::gather_areas(Vec<AreaRecord>& out) const {
  std::uint64_t end = runtime_.loader.page_size;
  for (std::uint32_t i = 0; i < places_.size(); ++i) {
    const Place& p = places_[i];
    if (!p.is_fixed) continue;
    // What alignment leaves between modules is nobody's.
    if (p.offset > end &&
        !out.push({.offset = end, .bytes = p.offset - end, .prot = 0, .kind = AreaKind::file}))
      return false;
    for (const AreaRecord& a : areas_.span().subspan(p.first_area, p.areas))
      if (!out.push(a)) return false;
    end = p.offset + p.bytes;
  }
  return true;
}

/// A word of the copied memory that may be stored to. nullptr: it is not there, or in a table that
/// the loader reads.
std::uint8_t* ImageBuilder::word(const Module& m, const Place& p, std::uint64_t at) {
  elf::Image::Range tables[elf::Image::kMetadataRanges];
  std::size_t count = m.image.metadata(tables);
  for (std::size_t i = 0; i < count; ++i)
    if (at < tables[i].end && at + 8 > tables[i].start) return nullptr;
  const elf::Phdr* load = m.image.segments.find_in_file({at}, 8);
  if (load == nullptr || (load->p_flags & PF_W) == 0) return nullptr;
  return memory_.data() + p.offset + (at - m.image.segments.start.value);
}

bool ImageBuilder::relr(const Module& m, const Place& p) {
  std::uint64_t next = 0;
  auto add = [&](std::uint64_t at) {
    std::uint8_t* to = word(m, p, at);
    if (to == nullptr) return false;
    std::uint64_t value;
    memcpy(&value, to, sizeof value);
    value += p.bias;
    memcpy(to, &value, sizeof value);
    return true;
  };
  for (elf::Relr entry : m.image.relr) {
    if ((entry & 1) == 0) {
      if (!add(entry)) return false;
      next = entry + 8;
      continue;
    }
    for (std::uint64_t bits = entry >> 1, at = next; bits != 0; bits >>= 1, at += 8)
      if ((bits & 1) != 0 && !add(at)) return false;
    next += std::uint64_t{63} * 8;
  }
  return true;
}

/// False: something is to be stored where the file has no writable page.
bool ImageBuilder::relocate(const Module& m,
                            const Place& p,
                            std::span<const Slot> slots,
                            Vec<Slot>& moving) {
  auto store = [&](std::uint64_t at, std::uint64_t value) {
    std::uint8_t* to = word(m, p, at);
    if (to != nullptr) memcpy(to, &value, sizeof value);
    return to != nullptr;
  };
  if (!relr(m, p)) return false;
  if (!m.image.rela.empty())
    for (const Rela& r : m.image.rela.first(m.image.relative_count)) {
      if (Port::reloc_kind(elf::reloc_type(r)) != RelocKind::relative) return false;
      if (!store(r.r_offset, p.bias + static_cast<std::uint64_t>(r.r_addend))) return false;
    }
  for (const Slot& s : slots) {
    bool absolute = s.provider >= places_.size();
    if (!absolute && !places_[s.provider].is_fixed) {
      if (!moving.push(s)) return false;
    } else if (!store(s.at, (absolute ? 0 : places_[s.provider].bias) + s.value)) {
      return false;
    }
  }
  return true;
}

/// The loader itself would store there, in each process.
void ImageBuilder::relocate_dynamic(const Module& m, const Place& p) {
  const elf::Segments& s = m.image.segments;
  if (!elf::dynamic_is_writable(s)) return;
  std::uint8_t* at = memory_.data() + p.offset + (s.dynamic->p_vaddr - s.start.value);
  for (std::uint32_t i = 0; i < m.image.dynamic_count; ++i, at += sizeof(elf::Dyn)) {
    elf::Dyn d = m.image.dynamic[i];
    if (!elf::is_address_tag(d.d_tag)) continue;
    d.d_un.d_ptr += p.bias;
    memcpy(at, &d, sizeof d);
  }
}

Status ImageBuilder::add(std::uint32_t number,
                         const Module& m,
                         std::span<const Slot> slots,
                         std::uint32_t addresses,
                         Vec<Slot>& moving) {
  Place& p = places_[number];
  if (!p.is_fixed) return {};
  Error no_memory{.code = Code::out_of_memory, .object = m.display};
  PlacementRecord record{.module = number,
                         .first = static_cast<std::uint32_t>(moving.size()),
                         .moving = 0,
                         .head = static_cast<std::uint32_t>(bytes_of_head(m)),
                         .bias = p.bias,
                         .offset = p.offset,
                         .bytes = p.bytes};
  if (!copy(m, p)) return no_memory;
  if (!relocate(m, p, slots.first(addresses), moving))
    return cannot(m.display, "a relocation has no place in the image");
  relocate_dynamic(m, p);
  record.moving = static_cast<std::uint32_t>(moving.size()) - record.first;
  Vec<StoredRange> stored;
  if (!find_stored(m, moving.span().subspan(record.first), slots.subspan(addresses), stored) ||
      !add_areas(m, p, stored.span()) || !placements_.push(record))
    return no_memory;
  return {};
}

}  // namespace myld::binding
