// --verify-binding: a stored file against one that was made anew.
#include "loader/base/mem.hpp"
#include "loader/sys/text.hpp"
#include "rtld/start/binding.hpp"

namespace myld::start {
namespace {

using binding::View;
using sys::Hex;
using sys::Text;

constexpr std::uint64_t kMostTold = 20;

class Comparison {
public:
  Comparison(const View& stored, const View& fresh) : stored_(stored), fresh_(fresh) {}

  std::uint64_t run() {
    modules();
    searches();
    stamps();
    if (count_ == 0) slots();  // the numbers mean the same
    image();
    return count_;
  }

private:
  /// A line for a difference, as long as there are not too many.
  template <class Tell>
  void differ(Tell tell) {
    if (count_++ >= kMostTold) return;
    Text out(1);
    tell(out);
    out << '\n';
  }
  bool same(std::uint32_t stored, std::uint32_t fresh) const {
    return equal(stored_.string(stored), fresh_.string(fresh));
  }

  void modules();
  void searches();
  void stamps();
  void slots();
  void image();
  void slots_of(std::size_t module);

  const View& stored_;
  const View& fresh_;
  std::uint64_t count_ = 0;
};

void Comparison::modules() {
  auto a = stored_.modules(), b = fresh_.modules();
  for (std::size_t i = 0; i < a.size() || i < b.size(); ++i) {
    if (i >= a.size() || i >= b.size())
      differ([&](Text& out) {
        out << "module " << (i < a.size() ? stored_.string(a[i].path) : fresh_.string(b[i].path))
            << (i < a.size() ? ": no longer there" : ": new");
      });
    else if (!same(a[i].path, b[i].path))
      differ([&](Text& out) {
        out << "module " << stored_.string(a[i].path) << ": now " << fresh_.string(b[i].path);
      });
    else if (!(a[i].file == b[i].file) || !(a[i].build_id == b[i].build_id))
      differ([&](Text& out) { out << "module " << fresh_.string(b[i].path) << ": has changed"; });
  }
}

void Comparison::searches() {
  auto a = stored_.searches(), b = fresh_.searches();
  if (a.size() != b.size())
    return differ([&](Text& out) { out << "searches: another number of them"; });
  for (std::size_t i = 0; i < a.size(); ++i) {
    bool is_same = same(a[i].name, b[i].name) && same(a[i].path, b[i].path) &&
                   a[i].requester == b[i].requester && a[i].module == b[i].module &&
                   a[i].of == b[i].of && a[i].by == b[i].by;
    if (!is_same)
      differ([&](Text& out) {
        out << "search for " << fresh_.string(b[i].name) << ": was " << stored_.string(a[i].path)
            << ", is " << fresh_.string(b[i].path);
      });
  }
}

void Comparison::stamps() {
  auto a = stored_.stamps(), b = fresh_.stamps();
  for (const binding::StampRecord& s : a) {
    bool found = false;
    for (const binding::StampRecord& f : b)
      found = found || (same(s.path, f.path) && s.error == f.error && s.file == f.file);
    if (!found)
      differ(
          [&](Text& out) { out << "search path: " << stored_.string(s.path) << " has changed"; });
  }
  if (a.size() != b.size())
    differ([&](Text& out) { out << "search path: another number of places"; });
}

void Comparison::slots() {
  for (std::size_t i = 0; i < fresh_.modules().size(); ++i) slots_of(i);
}

const binding::Slot& slot(const View& view, const binding::ModuleRecord& m, std::uint32_t k) {
  return k < m.addresses ? view.addresses(m)[k] : view.others(m)[k - m.addresses];
}

void Comparison::slots_of(std::size_t i) {
  const binding::ModuleRecord &a = stored_.modules()[i], &b = fresh_.modules()[i];
  if (a.addresses != b.addresses || a.others != b.others)
    return differ(
        [&](Text& out) { out << fresh_.string(b.path) << ": another number of relocations"; });
  std::uint32_t count = a.addresses + a.others;
  for (std::uint32_t k = 0; k < count; ++k) {
    const binding::Slot &s = slot(stored_, a, k), &f = slot(fresh_, b, k);
    if (s.at == f.at && s.value == f.value && s.provider == f.provider && s.kind == f.kind)
      continue;
    auto name = [&](std::uint16_t provider) {
      auto all = fresh_.modules();
      return provider < all.size() ? fresh_.string(all[provider].path) : "absolute";
    };
    differ([&](Text& out) {
      out << fresh_.string(b.path)
          << (f.kind == binding::SlotKind::address ? ": slot " : ": relocation ") << Hex{f.at}
          << ": was " << name(s.provider) << '+' << Hex{s.value} << ", is " << name(f.provider)
          << '+' << Hex{f.value};
    });
  }
}

/// Its table and what is to be made of its pages; the pages are the writer's to compare.
void Comparison::image() {
  auto same = [](auto a, auto b) {
    return a.size() == b.size() && (a.empty() || memcmp(a.data(), b.data(), a.size_bytes()) == 0);
  };
  if (!same(stored_.placements(), fresh_.placements()) || !same(stored_.areas(), fresh_.areas()))
    differ([](Text& out) { out << "image: its places or its protection are others"; });
}

}  // namespace

std::uint64_t compare_bindings(const View& stored, const View& fresh) {
  return Comparison(stored, fresh).run();
}

}  // namespace myld::start
