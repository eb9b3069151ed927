#include "rtld/binding/image.hpp"

#include "arch/port.hpp"
#include "loader/base/mem.hpp"
#include "loader/map/huge.hpp"

namespace myld::binding {

using elf::Rela;
using load::Module;

// ---- In a start --------------------------------------------------------------------------------

bool ImageInUse::begin(const Runtime& r, const View& view, const char*& why) {
  const Header& h = view.header();
  if (h.image == 0 || view.placements().empty()) return false;
  const char* path = view.string(h.image);
  long fd = open_trusted(r, path, h.image_file);
  if (fd < 0) {
    why = "its image has changed";
    return false;
  }
  std::size_t parts = 0;
  for (const PlacementRecord& p : view.placements()) parts += p.parts;
  bool ok = by_module_.reserve(view.modules().size()) &&
            placed_.reserve(view.placements().size()) && parts_.reserve(parts);
  why = "there is no memory for the image";
  // No other mapping may be there: the kernel says so.
  constexpr int kMapFixedNoReplace = 0x100000;
  constexpr int kFlags =
      sys::kMapPrivate | sys::kMapAnonymous | sys::kMapNoReserve | kMapFixedNoReplace;
  if (ok) {
    why = "the image's place is taken";
    long got =
        sys::map(reinterpret_cast<void*>(h.image_at), h.image_bytes, sys::kProtNone, kFlags, -1, 0);
    ok = got >= 0 && static_cast<std::uint64_t>(got) == h.image_at;
    if (!ok && got >= 0) sys::unmap(reinterpret_cast<void*>(got), h.image_bytes);
  }
  if (!ok) {
    sys::close(static_cast<int>(fd));
    return false;
  }
  view_ = &view;
  fd_ = static_cast<int>(fd);
  for (std::size_t i = 0; i < view.modules().size(); ++i) by_module_.push_reserved(0);
  for (const PlacementRecord& p : view.placements()) {
    std::size_t first = parts_.size();
    for (const PartRecord& part : view.parts(p))
      parts_.push_reserved({{part.at}, part.bytes, {part.offset}});
    placed_.push_reserved({{p.bias}, fd_, parts_.span().subspan(first)});
    by_module_[p.module] = static_cast<std::uint32_t>(placed_.size());
  }
  return true;
}

const map::Placed* ImageInUse::placed(std::uint32_t number) const {
  if (!in_use() || number >= by_module_.size() || by_module_[number] == 0) return nullptr;
  return &placed_[by_module_[number] - 1];
}

const PlacementRecord* ImageInUse::placement(std::uint32_t number) const {
  if (placed(number) == nullptr) return nullptr;
  return &view_->placements()[by_module_[number] - 1];
}

bool ImageInUse::is_complete(const Numbers& numbers) const {
  for (const PlacementRecord& p : view_->placements()) {
    const Module* m = numbers.module(p.module);
    if (m == nullptr || !m->in_image || m->image.bias.value != p.bias) return false;
  }
  return true;
}

void ImageInUse::end() {
  if (fd_ >= 0) sys::close(fd_);
  fd_ = -1;
}

// ---- Making one --------------------------------------------------------------------------------

namespace {

constexpr std::uint64_t kNoPlace = UINT64_MAX;

bool is_writable(const elf::Phdr& p) {
  return p.p_type == PT_LOAD && p.p_filesz != 0 && (p.p_flags & PF_W) != 0;
}

}  // namespace

/// A random page between 3/256 and 17/2048 of the address space below its end: under the area in
/// which the kernel maps things, where that is no larger than it is by default, and where the
/// sanitizers that divide the address space (ThreadSanitizer) let libraries be. 2^26 places on
/// x86-64.
Status ImageBuilder::place(const Numbers& numbers) {
  std::uint64_t page = runtime_.loader.page_size;
  const auto* random = reinterpret_cast<const std::uint64_t*>(runtime_.stack.get(sys::kAtRandom));
  if (random == nullptr)
    return Error{.code = Code::cannot_bind, .object = "image", .subject = "there is no AT_RANDOM"};
  // AT_RANDOM's bytes are on the stack, in the topmost half.
  std::uint64_t half = std::uint64_t{1}
                       << (63 - __builtin_clzl(reinterpret_cast<std::uintptr_t>(random)));
  std::uint64_t end = half * 2, from = end - end / 256 * 3, to = end - end / 2048 * 17;
  std::uint64_t bits = (random[0] ^ sys::realtime_ns()) * 0x9e3779b97f4a7c15;
  auto huge_text = [&](const elf::Segments& s) {
    return runtime_.loader.policy.huge_text ? map::plan_text(s, page) : map::HugePart{};
  };
  std::uint64_t bytes = 0;  // with what alignment may take
  for (std::uint32_t i = 2; i < numbers.count(); ++i) {
    const elf::Segments& s = numbers.module(i)->image.segments;
    bytes += s.end.value - s.start.value + s.align;
    if (huge_text(s).bytes != 0) bytes += map::kHugePage;
  }
  if (bytes >= (to - from) / 2)
    return Error{.code = Code::cannot_bind, .object = "image", .subject = "it is too large"};
  at_ = from + (bits >> 8) % ((to - from - bytes) / page) * page;
  std::uint64_t next = at_;
  for (std::uint32_t i = 0; i < numbers.count(); ++i) {
    const Module& m = *numbers.module(i);
    const elf::Segments& s = m.image.segments;
    bool fixed = i >= 2 && !m.image.text_relocations;
    map::HugePart text = huge_text(s);
    // The bias is a multiple of it, or brings the code where huge pages may hold it.
    std::uint64_t align = text.bytes != 0 ? map::kHugePage : s.align;
    if (fixed) next += (s.start.value - text.at.value - next) & (align - 1);
    if (!biases_.push(fixed ? next - s.start.value : kNoPlace))
      return Error{.code = Code::out_of_memory, .object = "image"};
    if (fixed) next += s.end.value - s.start.value;
  }
  bytes_ = round_up(next - at_, page);
  return {};
}

bool ImageBuilder::copy_pages(const Module& m, PlacementRecord& placement) {
  std::uint64_t page = runtime_.loader.page_size;
  placement.first_part = static_cast<std::uint32_t>(parts_.size());
  for (const elf::Phdr& p : m.image.segments.phdrs) {
    if (!is_writable(p)) continue;
    std::uint64_t from = round_down(p.p_vaddr, page), to = round_up(p.p_vaddr + p.p_filesz, page);
    if (!parts_.push({from, to - from, pages_.size()}) ||
        !pages_.reserve(pages_.size() + (to - from)))
      return false;
    ++placement.parts;
    std::size_t old = pages_.size();
    memcpy(pages_.data() + old, m.image.at<const void>({from}), to - from);
    pages_.truncate(old + (to - from));
  }
  return true;
}

/// A word of the copied pages. nullptr: it is not there, or in a table that the loader reads.
std::uint8_t* ImageBuilder::word(const Module& m, const PlacementRecord& p, std::uint64_t at) {
  elf::Image::Range tables[elf::Image::kMetadataRanges];
  std::size_t count = m.image.metadata(tables);
  for (std::size_t i = 0; i < count; ++i)
    if (at < tables[i].end && at + 8 > tables[i].start) return nullptr;
  for (const PartRecord& part : parts_.span().subspan(p.first_part, p.parts))
    if (at >= part.at && at - part.at < part.bytes && part.bytes - (at - part.at) >= 8)
      return pages_.data() + part.offset + (at - part.at);
  return nullptr;
}

bool ImageBuilder::relr(const Module& m, const PlacementRecord& p) {
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

/// False: something is to be stored where no page of the image is; the module is not placed then.
bool ImageBuilder::relocate(const Module& m,
                            const PlacementRecord& p,
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
      if (arch::Port::reloc_kind(elf::reloc_type(r)) != arch::RelocKind::relative) return false;
      if (!store(r.r_offset, p.bias + static_cast<std::uint64_t>(r.r_addend))) return false;
    }
  for (const Slot& s : slots) {
    bool absolute = s.provider >= biases_.size();
    if (!absolute && biases_[s.provider] == kNoPlace) {
      if (!moving.push(s)) return false;
    } else if (!store(s.at, (absolute ? 0 : biases_[s.provider]) + s.value)) {
      return false;
    }
  }
  return true;
}

Status ImageBuilder::add(std::uint32_t number,
                         const Module& m,
                         std::span<const Slot> slots,
                         Vec<Slot>& moving) {
  if (biases_[number] == kNoPlace) return {};
  PlacementRecord p{};
  p.module = number;
  p.bias = biases_[number];
  p.first = static_cast<std::uint32_t>(moving.size());
  if (!copy_pages(m, p)) return Error{.code = Code::out_of_memory, .object = m.display};
  if (!relocate(m, p, slots, moving))
    return Error{.code = Code::cannot_bind,
                 .object = m.display,
                 .subject = "a relocation has no place in the image"};
  p.moving = static_cast<std::uint32_t>(moving.size()) - p.first;
  if (!placements_.push(p)) return Error{.code = Code::out_of_memory, .object = m.display};
  return {};
}

}  // namespace myld::binding
