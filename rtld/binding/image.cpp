#include "rtld/binding/image.hpp"

#include "arch/port.hpp"

namespace myld::binding {
namespace {

using load::Module;

std::uint8_t* address(const Header& h, std::uint64_t offset) {
  return reinterpret_cast<std::uint8_t*>(h.image_at) + offset;
}

/// Changes the protection of the areas of a kind, those that lie side by side in one call. Returns
/// 0 or -errno. `change(area)`: the protection, or -1 for none.
template <class Change>
long protect_areas(const View& view, Change change) {
  std::span<const AreaRecord> areas = view.areas();
  for (std::size_t i = 0; i < areas.size();) {
    std::uint64_t from = areas[i].offset, end = from;
    int prot = change(areas[i]);
    do end += areas[i++].bytes;
    while (i < areas.size() && areas[i].offset == end && change(areas[i]) == prot);
    if (prot < 0) continue;
    if (long e = sys::protect(address(view.header(), from), end - from, prot); e < 0) return e;
  }
  return 0;
}

/// The file of each module is what was copied into the image.
bool are_as_they_were(const View& view) {
  for (const PlacementRecord& p : view.placements()) {
    const ModuleRecord& m = view.modules()[p.module];
    sys::Stat s;
    if (sys::stat(view.string(m.path), &s) < 0 || identity_of(s) != m.file) return false;
  }
  return true;
}

}  // namespace

bool ImageInUse::begin(const Runtime& r, const View& view, const char*& why) {
  if (view.header().image == 0 || view.placements().empty()) return false;
  why = open(r, view);
  return why == nullptr;
}

const char* ImageInUse::open(const Runtime& r, const View& view) {
  const Header& h = view.header();
  std::size_t count = view.modules().size();
  if (!by_module_.reserve(count) || !placed_.reserve(view.placements().size()))
    return "there is no memory for the image";
  if (!are_as_they_were(view)) return "a library of its image has changed";
  long fd = open_trusted(r, view.string(h.image), h.image_file);
  if (fd < 0) return "its image has changed";
  // No other mapping may be there: the kernel says so.
  constexpr int kMapFixedNoReplace = 0x100000;
  bool fits =
      h.image_file.bytes >= 0 && static_cast<std::uint64_t>(h.image_file.bytes) == h.image_bytes;
  long got = -sys::kEinval;
  if (fits)
    got = sys::map(address(h, 0), h.image_bytes, sys::kProtRead,
                   sys::kMapPrivate | kMapFixedNoReplace, static_cast<int>(fd), 0);
  sys::close(static_cast<int>(fd));
  bool there = got >= 0 && static_cast<std::uint64_t>(got) == h.image_at;
  if (!there && got >= 0) sys::unmap(reinterpret_cast<void*>(got), h.image_bytes);
  if (!there) return "the image's place is taken";
  view_ = &view;
  if (!protect(r.loader.page_size)) {
    sys::unmap(address(h, 0), h.image_bytes);
    view_ = nullptr;
    return "the image cannot be protected, or nothing of its file may be executed";
  }
  for (std::size_t i = 0; i < count; ++i) by_module_.push_reserved(0);
  for (const PlacementRecord& p : view.placements()) {
    placed_.push_reserved(
        {{p.bias}, RunAddr::of(address(h, p.offset)), p.bytes, {p.offset}, p.head});
    by_module_[p.module] = static_cast<std::uint32_t>(placed_.size());
  }
  return nullptr;
}

bool ImageInUse::protect(std::uint64_t page_size) const {
  constexpr int kFlags = sys::kMapPrivate | sys::kMapAnonymous | sys::kMapFixed;
  for (const AreaRecord& a : view_->areas())
    if (a.kind == AreaKind::anonymous && sys::map(address(view_->header(), a.offset), a.bytes,
                                                  static_cast<int>(a.prot), kFlags, -1, 0) < 0)
      return false;
  auto first = [](const AreaRecord& a) {
    return a.kind == AreaKind::anonymous ? -1 : static_cast<int>(a.prot);
  };
  if (protect_areas(*view_, first) != 0) return false;
  // Each of these pages is going to be stored to.
  for (const AreaRecord& a : view_->areas())
    if (a.kind == AreaKind::until_relocated && a.bytes > page_size)
      sys::advise(address(view_->header(), a.offset), a.bytes, sys::kMadvPopulateWrite);
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

void ImageInUse::leave(const Numbers& numbers) {
  if (!in_use()) return;
  // Where a module lay that has the memory of its own file now, that is.
  for (const PlacementRecord& p : view_->placements()) {
    const map::Placed& place = placed_[by_module_[p.module] - 1];
    const Module* m = numbers.module(p.module);
    bool taken = m != nullptr && m->mapping.start == place.start;
    if (!taken) sys::unmap(place.start.as<void>(), place.bytes);
  }
  view_ = nullptr;
}

Status ImageInUse::end() {
  if (!in_use()) return {};
  const View& view = *view_;
  view_ = nullptr;
  long e = protect_areas(view, [](const AreaRecord& a) {
    return a.kind == AreaKind::until_relocated ? sys::kProtRead : -1;
  });
  if (e == 0) return {};
  return Error{.code = Code::cannot_protect,
               .sys_errno = static_cast<int>(-e),
               .object = view.string(view.header().image),
               .subject = "PT_GNU_RELRO"};
}

}  // namespace myld::binding
