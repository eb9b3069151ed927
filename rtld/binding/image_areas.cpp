#include "rtld/binding/image_areas.hpp"

#include "loader/map/mapping.hpp"
#include "loader/sys/calls.hpp"

namespace myld::binding {
namespace {

constexpr std::uint8_t kRead = sys::kProtRead, kReadWrite = sys::kProtRead | sys::kProtWrite;

}  // namespace

bool can_lie_ready(const elf::Segments& segments) {
  for (const elf::Phdr& p : segments.phdrs) {
    if (p.p_type != PT_LOAD || p.p_memsz == 0) continue;
    constexpr std::uint32_t kBoth = PF_W | PF_X;
    if ((p.p_flags & PF_R) == 0 || (p.p_flags & kBoth) == kBoth) return false;
  }
  return true;
}

/// As map::map_segments maps them: what comes later lies over what was there.
bool PageStates::make(const elf::Segments& segments, std::uint64_t page_size) {
  start_ = segments.start.value;
  page_size_ = page_size;
  std::uint64_t count = (segments.end.value - start_) / page_size;
  if (!pages_.reserve(count)) return false;
  for (std::uint64_t i = 0; i < count; ++i) pages_.push_reserved({});
  for (const elf::Phdr& p : segments.phdrs) {
    if (p.p_type != PT_LOAD || p.p_memsz == 0) continue;
    map::Step steps[3];
    std::size_t n = map::plan_segment(p, page_size, steps);
    for (std::size_t i = 0; i < n; ++i) {
      const map::Step& s = steps[i];
      bool in_file = s.kind == map::Step::Kind::file;
      if (!in_file && s.kind != map::Step::Kind::anonymous) continue;
      each(s.at.value, s.at.value + s.bytes, [&](State& page) {
        page = {
            .prot = s.prot, .in_file = in_file, .until_relocated = false, .anonymous = !in_file};
      });
    }
  }
  close_relro(segments);
  return true;
}

/// As map::protect_relro does.
void PageStates::close_relro(const elf::Segments& segments) {
  if (segments.relro == nullptr) return;
  relro_start_ = round_down(segments.relro->p_vaddr, page_size_);
  relro_end_ = round_down(segments.relro->p_vaddr + segments.relro->p_memsz, page_size_);
  each(relro_start_, relro_end_, [](State& page) {
    if ((page.prot & sys::kProtWrite) != 0) page.prot = kRead;
  });
}

void PageStates::open(std::span<const StoredRange> stored) {
  for (const StoredRange& s : stored) {
    std::uint64_t from = s.at < relro_start_ ? relro_start_ : s.at,
                  to = s.at + s.bytes > relro_end_ ? relro_end_ : s.at + s.bytes;
    if (from < to)
      each(round_down(from, page_size_), to, [](State& p) { p.until_relocated = true; });
  }
}

void PageStates::join_small() {
  constexpr std::uint64_t kSmall = 64 << 10;
  for (std::size_t i = 0; i < pages_.size();) {
    std::size_t from = i;
    while (i < pages_.size() && pages_[i].anonymous && pages_[i] == pages_[from]) ++i;
    bool joins = (i - from) * page_size_ <= kSmall || pages_[from].prot != kReadWrite;
    for (std::size_t k = from; k < i && joins; ++k) pages_[k].anonymous = false;
    if (i == from) ++i;
  }
}

bool PageStates::append(std::uint64_t offset, Vec<AreaRecord>& out) const {
  for (std::size_t i = 0; i < pages_.size();) {
    State s = pages_[i];
    std::size_t from = i;
    auto alike = [&](const State& other) {
      return other.prot == s.prot && other.until_relocated == s.until_relocated &&
             other.anonymous == s.anonymous;
    };
    while (i < pages_.size() && alike(pages_[i])) ++i;
    if (s.prot == kRead && !s.until_relocated) continue;
    AreaRecord a{.offset = offset + from * page_size_,
                 .bytes = (i - from) * page_size_,
                 .prot = s.until_relocated ? kReadWrite : s.prot,
                 .kind = s.anonymous         ? AreaKind::anonymous
                         : s.until_relocated ? AreaKind::until_relocated
                                             : AreaKind::file};
    if (!out.push(a)) return false;
  }
  return true;
}

}  // namespace myld::binding
