#include "rtld/binding/writer.hpp"

#include "loader/base/mem.hpp"
#include "rtld/binding/image_builder.hpp"
#include "rtld/binding/request.hpp"
#include "rtld/binding/storage.hpp"

namespace myld::binding {

using load::Module;
using scope::Definition;

namespace {

Error cannot(const char* object, const char* why) {
  return {.code = Code::cannot_bind, .object = object, .subject = why};
}

/// Finds with the batch what it knows, everything else by the plain walk.
struct Batched {
  const scope::Batch* batch;
  Module* module;
  std::uint32_t user;

  static Definition
  find(const void* self, Module& m, std::uint32_t symbol, scope::Purpose purpose) {
    const auto& b = *static_cast<const Batched*>(self);
    const elf::Sym& s = m.image.symbols[symbol];
    if (!b.batch->empty())
      if (const auto* e = b.batch->find(b.user, symbol, purpose); e != nullptr)
        return scope::choose(m, s, e->result());
    return scope::look_up(m, s, symbol, purpose);
  }
};

Definition walk(const void*, Module& m, std::uint32_t symbol, scope::Purpose purpose) {
  return scope::look_up(m, m.image.symbols[symbol], symbol, purpose);
}

class Writer {
public:
  Writer(const Contents& contents, bool one_by_one)
      : c_(contents), one_by_one_(one_by_one), image_(contents.runtime) {}
  Status run(std::span<Module* const> order, Bytes& out);

private:
  std::uint32_t string(const char* s);
  Status add_modules();
  Status add_searches();
  Status add_stamps();
  Status add_slots(std::span<Module* const> order);
  Status add_request(Header& header);
  Status write_image();
  Status compare_image();
  Status add_image(Header& header);
  bool arrange_slots(Header& header);
  bool has_image() const { return c_.image != nullptr || c_.compared != nullptr; }
  Status assemble(Header& header, Bytes& out);

  const Contents& c_;
  bool one_by_one_;
  bool ok_ = true;
  Vec<char> strings_;
  Vec<ModuleRecord> modules_;
  Vec<SearchRecord> searches_;
  Vec<StampRecord> stamps_;
  Vec<Slot> slots_, moving_, arranged_;  ///< the last is what is written
  ImageBuilder image_;
  Vec<PlacementRecord> placements_;
  Vec<AreaRecord> areas_;
};

/// Its offset in the table; "" is at 0.
std::uint32_t Writer::string(const char* s) {
  if (strings_.empty()) ok_ = ok_ && strings_.push(0);
  if (s == nullptr || *s == 0) return 0;
  std::size_t n = strlen(s) + 1, at = strings_.size();
  ok_ = ok_ && strings_.reserve(at + n);
  for (std::size_t i = 0; ok_ && i < n; ++i) strings_.push_reserved(s[i]);
  return static_cast<std::uint32_t>(at);
}

Status Writer::add_modules() {
  const Numbers& numbers = c_.recorder.numbers;
  if (numbers.count() > kMostModules) return cannot(c_.program, "it has too many modules");
  for (std::uint32_t i = 0; i < numbers.count(); ++i) {
    const Module& m = *numbers.module(i);
    ModuleRecord record{};
    record.path = string(i == 0 ? c_.program : m.path);
    record.build_id = build_id_of(m.image);
    ok_ = ok_ && modules_.push(record);
  }
  sys::Stat s;
  const char* program = c_.runtime.direct ? c_.program : "/proc/self/exe";
  if (sys::stat(program, &s) < 0) return cannot(c_.program, "its file is not known");
  if (!ok_) return Error{.code = Code::out_of_memory, .object = c_.program};
  modules_[0].file = identity_of(s);
  if (!c_.recorder.is_settled(modules_[0].file))
    return cannot(c_.program, "the program has just changed");
  return {};
}

Status Writer::add_searches() {
  const Numbers& numbers = c_.recorder.numbers;
  for (const Search& s : c_.recorder.searches) {
    const auto* of = s.of == nullptr ? nullptr : static_cast<const Module*>(s.of->owner);
    SearchRecord record{.name = string(s.name),
                        .path = 0,
                        .requester = numbers.of(s.requester),
                        .module = kNone,
                        .of = of == nullptr ? kNone : numbers.of(of),
                        .by = static_cast<std::uint32_t>(s.by)};
    if (s.path != nullptr) {
      for (std::uint32_t i = 2; i < numbers.count() && record.module == kNone; ++i)
        if (numbers.module(i)->file == load::FileId{s.file.device, s.file.inode}) record.module = i;
      if (record.module == kNone) return cannot(s.path, "it was found and not loaded");
      modules_[record.module].file = s.file;
      if (equal(s.path, numbers.module(record.module)->path))
        record.path = modules_[record.module].path;
      else
        record.path = string(s.path);
    }
    ok_ = ok_ && searches_.push(record);
  }
  return {};
}

Status Writer::add_stamps() {
  for (const Stamp& s : c_.recorder.stamps)
    ok_ = ok_ && stamps_.push({string(s.path), s.error, s.file});
  return {};
}

Status Writer::add_slots(std::span<Module* const> order) {
  scope::Batch batch;
  if (!one_by_one_) relocate::look_up_references(order, batch, true);
  std::size_t most = 0;
  for (const Module* m : order)
    most += m->image.rela.size() - m->image.relative_count + m->image.jmprel.size();
  ok_ = ok_ && slots_.reserve(most);
  for (std::uint32_t user = 0; user < order.size(); ++user) {
    Module& m = *order[user];
    std::uint32_t number = c_.recorder.numbers.of(&m);
    if (m.is_loader || number == kNone) continue;
    Batched batched{&batch, &m, user};
    Finder finder = one_by_one_ ? Finder{&walk, nullptr} : Finder{&Batched::find, &batched};
    bool lazy = !c_.runtime.options.bind_now && !m.image.bind_now;
    SlotCounts counts;
    auto first = static_cast<std::uint32_t>(slots_.size());
    MYLD_CHECK(append_slots(m, c_.recorder.numbers, finder, lazy, slots_, counts));
    modules_[number].first = first;
    modules_[number].addresses = counts.addresses;
    modules_[number].first_other = first + counts.addresses;
    modules_[number].others = counts.others;
    if (has_image())
      MYLD_CHECK(image_.add(number, m, slots_.span().subspan(first), counts.addresses, moving_));
  }
  return {};
}

Status Writer::add_request(Header& header) {
  header.key = string(c_.key);
  if (c_.recorder.relative) {
    char here[4096];
    if (sys::getcwd(here, sizeof here) <= 0)
      return cannot(c_.program, "the working directory is not known");
    header.directory = string(here);
  }
  if (c_.runtime.loader.searcher.asked_cpu()) {
    char* cpu = describe_cpu(c_.runtime);
    if (cpu == nullptr) return Error{.code = Code::out_of_memory, .object = c_.program};
    header.cpu = string(cpu);
    release_string(cpu);
  }
  return {};
}

/// The image is in its place before the file that speaks of it is.
Status Writer::write_image() {
  // What was copied is what the files' identities stand for.
  const Numbers& numbers = c_.recorder.numbers;
  for (std::uint32_t i = 2; i < numbers.count(); ++i) {
    sys::Stat s;
    const char* path = numbers.module(i)->path;
    if (sys::stat(path, &s) < 0 || identity_of(s) != modules_[i].file)
      return cannot(path, "it has just changed");
  }
  MYLD_CHECK(write_file(c_.image, image_.memory(), true));
  // Where nothing may be executed, no start could use it.
  long fd = sys::open_no_link(c_.image);
  long got = fd;
  if (fd >= 0) {
    std::uint64_t page = c_.runtime.loader.page_size;
    got = sys::map(nullptr, page, sys::kProtRead | sys::kProtExec, sys::kMapPrivate,
                   static_cast<int>(fd), 0);
    if (got >= 0) sys::unmap(reinterpret_cast<const void*>(got), page);
    sys::close(static_cast<int>(fd));
  }
  if (got >= 0) return {};
  sys::unlink(c_.image);
  return cannot(c_.image, "nothing may be executed there (noexec)");
}

/// Page by page, for --verify-binding.
Status Writer::compare_image() {
  const Header& h = c_.compared->header();
  const char* path = c_.compared->string(h.image);
  std::span<const std::uint8_t> made = image_.memory();
  std::uint64_t page = c_.runtime.loader.page_size;
  *c_.different_pages = made.size() / page;
  long fd = open_trusted(c_.runtime, path, h.image_file);
  if (fd < 0) return {};
  bool same_size = static_cast<std::uint64_t>(h.image_file.bytes) == made.size();
  long got = -sys::kEinval;
  if (same_size)
    got = sys::map(nullptr, made.size(), sys::kProtRead, sys::kMapPrivate, static_cast<int>(fd), 0);
  sys::close(static_cast<int>(fd));
  if (got < 0) return {};
  const auto* stored = reinterpret_cast<const std::uint8_t*>(got);
  std::uint64_t different = 0;
  for (std::size_t at = 0; at < made.size(); at += page)
    different += memcmp(stored + at, made.data() + at, page) != 0 ? 1 : 0;
  sys::unmap(stored, made.size());
  *c_.different_pages = different;
  return {};
}

Status Writer::add_image(Header& header) {
  if (!has_image()) return {};
  sys::Stat s{};
  MYLD_CHECK(c_.compared != nullptr ? compare_image() : write_image());
  const char* path = c_.image;
  if (c_.compared != nullptr) path = c_.compared->string(c_.compared->header().image);
  if (c_.compared == nullptr && sys::stat(path, &s) < 0) return cannot(path, "it is gone");
  header.image = string(path);
  header.image_file = identity_of(s);
  header.image_at = image_.at();
  header.image_bytes = image_.memory().size();
  ok_ = ok_ && image_.gather_areas(areas_);
  for (const PlacementRecord& p : image_.placements()) ok_ = ok_ && placements_.push(p);
  return {};
}

/// What a start with the image reads comes first. False: no memory.
bool Writer::arrange_slots(Header& header) {
  Vec<bool> placed;
  if (!placed.reserve(modules_.size()) || !arranged_.reserve(slots_.size() + moving_.size()))
    return false;
  for (std::size_t i = 0; i < modules_.size(); ++i) placed.push_reserved(false);
  for (const PlacementRecord& p : placements_) placed[p.module] = true;
  auto put = [&](std::uint32_t& first, std::uint32_t count, const Vec<Slot>& from) {
    auto to = static_cast<std::uint32_t>(arranged_.size());
    for (const Slot& s : from.span().subspan(first, count)) arranged_.push_reserved(s);
    first = to;
  };
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    ModuleRecord& m = modules_[i];
    if (!placed[i]) put(m.first, m.addresses, slots_);
    put(m.first_other, m.others, slots_);
  }
  for (PlacementRecord& p : placements_) put(p.first, p.moving, moving_);
  header.rest = static_cast<std::uint32_t>(arranged_.size());
  for (std::size_t i = 0; i < modules_.size(); ++i)
    if (placed[i]) put(modules_[i].first, modules_[i].addresses, slots_);
  return true;
}

Status Writer::assemble(Header& header, Bytes& out) {
  std::uint64_t at = sizeof(Header);
  auto place = [&at](Table& table, std::size_t count, std::size_t element) {
    at = (at + 7) & ~std::uint64_t{7};
    table = {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(count)};
    at += count * element;
  };
  place(header.modules, modules_.size(), sizeof(ModuleRecord));
  place(header.searches, searches_.size(), sizeof(SearchRecord));
  place(header.stamps, stamps_.size(), sizeof(StampRecord));
  place(header.placements, placements_.size(), sizeof(PlacementRecord));
  place(header.areas, areas_.size(), sizeof(AreaRecord));
  place(header.strings, strings_.size(), 1);
  place(header.slots, arranged_.size(), sizeof(Slot));
  if (at > UINT32_MAX / 2) return cannot(c_.program, "the file would be too large");
  if (!ok_ || !out.allocate(at)) return Error{.code = Code::out_of_memory, .object = c_.program};
  auto put = [&out](const Table& table, const void* from, std::size_t element) {
    if (table.count != 0) memcpy(out.data() + table.offset, from, table.count * element);
  };
  put(header.modules, modules_.data(), sizeof(ModuleRecord));
  put(header.searches, searches_.data(), sizeof(SearchRecord));
  put(header.stamps, stamps_.data(), sizeof(StampRecord));
  put(header.slots, arranged_.data(), sizeof(Slot));
  put(header.placements, placements_.data(), sizeof(PlacementRecord));
  put(header.areas, areas_.data(), sizeof(AreaRecord));
  put(header.strings, strings_.data(), 1);
  header.bytes = at;
  memcpy(out.data(), &header, sizeof header);
  header.rest_checksum = checksum(rest_part(header, out.span()));
  memcpy(out.data(), &header, sizeof header);
  header.checksum = checksum(checked_part(header, out.span()));
  memcpy(out.data(), &header, sizeof header);
  return {};
}

Status Writer::run(std::span<Module* const> order, Bytes& out) {
  Header header{};
  memcpy(header.magic, kMagic, sizeof kMagic);
  header.format = kFormat;
  header.machine = arch::Port::kMachine;
  header.loader = build_id_of(c_.runtime.loader.self->image);
  if (header.loader.length == 0) return cannot(c_.program, "the loader has no build ID");
  MYLD_CHECK(add_modules());
  MYLD_CHECK(add_searches());
  MYLD_CHECK(add_stamps());
  if (has_image()) {
    std::uint64_t at = c_.compared == nullptr ? 0 : c_.compared->header().image_at;
    MYLD_CHECK(image_.place(c_.recorder.numbers, at));
  }
  MYLD_CHECK(add_slots(order));
  MYLD_CHECK(add_image(header));
  MYLD_CHECK(add_request(header));
  ok_ = ok_ && arrange_slots(header);
  return assemble(header, out);
}

}  // namespace

Status
make_file(const Contents& contents, std::span<Module* const> order, bool one_by_one, Bytes& out) {
  return Writer(contents, one_by_one).run(order, out);
}

}  // namespace myld::binding
