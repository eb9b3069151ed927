#include "rtld/binding/recorder.hpp"

#include "loader/base/mem.hpp"

namespace myld::binding {
namespace {

constexpr const char* kNoMemory = "there is no memory for it";
constexpr const char* kPreloads = "/etc/ld.so.preload";

/// Length of the directory part of a path, with the slash.
std::size_t directory_length(const char* path) {
  std::size_t n = strlen(path);
  while (n != 0 && path[n - 1] != '/') --n;
  return n;
}

bool contains(const char* text, std::size_t n, const char* what) {
  std::size_t m = strlen(what);
  for (std::size_t i = 0; i + m <= n; ++i)
    if (memcmp(text + i, what, m) == 0) return true;
  return false;
}

/// Rules by which a directory is searched, and a glibc-hwcaps subdirectory of it first.
bool searches_directory(find::By by) {
  return by != find::By::name && by != find::By::path && by != find::By::map &&
         by != find::By::cache;
}

}  // namespace

void Recorder::begin(Runtime& r) {
  runtime_ = &r;
  began = sys::realtime_ns();
  numbers = {r.first, r.program, r.loader.self};
  r.loader.searcher.listener = {&Recorder::attempted, this};
  r.loader.searcher.memory = {nullptr, &Recorder::found, this};
}

Recorder::Directory* Recorder::directory_of(const char* path) {
  std::size_t n = directory_length(path);
  std::uint64_t hash = hash_bytes(path, n);
  Directory* d = by_path_.find(hash, [&](const Directory& each) {
    return strlen(each.path) == n && memcmp(each.path, path, n) == 0;
  });
  if (d != nullptr) return d;
  d = static_cast<Directory*>(heap::allocate(sizeof(Directory)));
  char* copy = copy_string(path, n);
  if (d == nullptr || copy == nullptr || !by_path_.insert(hash, d) || !directories_.push(d)) {
    fail(kNoMemory);
    return nullptr;
  }
  d->path = copy;
  return d;
}

void Recorder::attempt(const find::Attempt& a) {
  if (a.by == find::By::name) return;
  Directory* d = directory_of(a.path);
  if (d == nullptr) return;
  d->searched = d->searched || searches_directory(a.by);
  if (!a.result) return;
  if (a.result.code != Code::cannot_open) return look_at(a.path);  // a file that was passed over
  // Whether others may open it, stat(2) does not show.
  if (a.result.sys_errno == sys::kEacces) return fail("a file of the search cannot be read");
  sys::Stat s;
  if (sys::link_stat(a.path, &s) >= 0) return look_at(a.path);  // a link that leads nowhere
  if (d->absent < 2) {
    char* copy = copy_string(a.path);
    if (copy == nullptr) return fail(kNoMemory);
    d->first[d->absent] = copy;
  }
  ++d->absent;
}

void Recorder::search(const char* name,
                      find::Requester* requester,
                      const Status& result,
                      const find::Found& out) {
  const void* owner = requester == nullptr ? nullptr : requester->owner;
  if (owner == nullptr) return fail("a search for nobody");
  if (!result && !find::search_goes_on(result.error()))
    return fail("a file of the search cannot be used");
  Search s{.name = copy_string(name),
           .path = result ? copy_string(out.path) : nullptr,
           .requester = static_cast<const load::Module*>(owner),
           .of = result ? out.of : nullptr,
           .by = result ? out.by : find::By::name,
           .file = result ? identity_of(out.stat) : Identity{}};
  if (s.name == nullptr || (result && s.path == nullptr) || !searches.push(s)) fail(kNoMemory);
  if (result && s.path != nullptr && s.path[0] != '/') relative = true;
}

bool Recorder::is_settled(const Identity& file) const {
  constexpr std::uint64_t kTick = 20000000;          // nanoseconds; two of the slowest kernel's
  constexpr std::uint64_t kCoarseTick = 2000000000;  // where file systems count seconds
  auto changed = static_cast<std::uint64_t>(file.inode_s) * 1000000000u + file.inode_ns;
  return changed + (file.inode_ns == 0 ? kCoarseTick : kTick) < began;
}

void Recorder::look_at(const char* path) {
  for (const Stamp& each : stamps)
    if (equal(each.path, path)) return;
  sys::Stat s{};
  long e = sys::stat(path, &s);
  if (e == -sys::kEacces) return fail("a directory of the search cannot be read");
  Stamp stamp{.path = copy_string(path),
              .error = e < 0 ? static_cast<int>(-e) : 0,
              .file = e < 0 ? Identity{} : identity_of(s)};
  if (stamp.path == nullptr || !stamps.push(stamp)) return fail(kNoMemory);
  if (path[0] != '/') relative = true;
}

/// A few names that were not there are looked at by themselves: the directory may change as it
/// likes. More of them are not there as long as the directory is as it was.
void Recorder::look_at(const Directory& d) {
  constexpr const char* kHwcaps = "glibc-hwcaps";
  std::size_t n = strlen(d.path);
  sys::Stat s;
  bool there = sys::stat(n == 0 ? "." : d.path, &s) >= 0;
  if (!there || d.absent > 2) {
    look_at(n == 0 ? "." : d.path);
  } else {
    for (std::uint32_t i = 0; i < d.absent; ++i) look_at(d.first[i]);
  }
  if (!there || !d.searched || contains(d.path, n, "/glibc-hwcaps/")) return;
  char path[4096];
  if (n + strlen(kHwcaps) >= sizeof path) return fail("a directory's name is too long");
  memcpy(path, d.path, n);
  memcpy(path + n, kHwcaps, strlen(kHwcaps) + 1);
  look_at(path);
}

const char* Recorder::end() {
  find::Searcher& searcher = runtime_->loader.searcher;
  searcher.listener = {};
  searcher.memory = {};
  for (const Directory* d : directories_) look_at(*d);
  look_at(kPreloads);
  if (searcher.asked_cache()) {
    const find::Config& c = searcher.config;
    char path[4096];
    std::size_t n = strlen(c.sysroot), m = strlen(c.cache_path);
    if (n + m >= sizeof path) return "a directory's name is too long";
    memcpy(path, c.sysroot, n);
    memcpy(path + n, c.cache_path, m + 1);
    look_at(path);
  }
  for (const Stamp& each : stamps)
    if (each.error == 0 && !is_settled(each.file)) fail("something of the search has just changed");
  for (const Search& each : searches)
    if (each.path != nullptr && !is_settled(each.file)) fail("a module has just changed");
  return refused_;
}

}  // namespace myld::binding
