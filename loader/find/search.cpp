#include "loader/find/search.hpp"

#include "loader/base/mem.hpp"
#include "loader/base/path.hpp"
#include "loader/elf/headers.hpp"
#include "loader/find/timeline.hpp"
#include "loader/sys/log.hpp"

namespace myld::find {
namespace {

bool is_separator(char c, const char* separators) {
  return c != 0 && find_char(separators, c) != nullptr;
}

constexpr std::size_t kHwcapNameMax = 40;

/// Calls visit(element) for each non-empty element of a list separated by ':'. `list` may be null.
template <class Visit>
void each_element(const char* list, Visit visit) {
  for (const char* p = list; p != nullptr && *p != 0;) {
    const char* end = p;
    while (*end != 0 && *end != ':') ++end;
    if (end != p) visit(std::string_view(p, static_cast<std::size_t>(end - p)));
    p = *end == 0 ? end : end + 1;
  }
}

Error not_found(const char* name) {
  return {.code = Code::cannot_open, .sys_errno = sys::kEnoent, .object = name};
}

/// A path of up to three parts. Long ones are on the heap: a thread that calls dlopen may have 16
/// KiB of stack for everything (PTHREAD_STACK_MIN).
class Path {
public:
  Path(std::string_view a, std::string_view b, std::string_view c) {
    bytes_ = a.size() + b.size() + c.size() + 1;
    if (bytes_ > kPathMax) return;
    text_ = bytes_ <= sizeof short_ ? short_ : static_cast<char*>(heap::allocate(bytes_));
    if (text_ == nullptr) return;
    char* to = text_;
    for (std::string_view part : {a, b, c}) {
      memcpy(to, part.data(), part.size());
      to += part.size();
    }
    *to = 0;
  }
  ~Path() {
    if (text_ != nullptr && text_ != short_) heap::release(text_, bytes_);
  }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

  /// nullptr: longer than any path may be, or no memory.
  const char* text() const { return text_; }
  /// Why there is no text, of a search for `name`: the system has no file with such a path.
  Error error(const char* name) const {
    return bytes_ > kPathMax ? not_found(name) : Error{.code = Code::out_of_memory, .object = name};
  }

private:
  char short_[240];
  char* text_ = nullptr;
  std::size_t bytes_;
};

/// A string that grows on the heap; `ok` goes false when memory runs out.
struct Builder {
  Vec<char> text;
  bool ok = true;
  void add(const char* s, std::size_t n) {
    ok = ok && text.reserve(text.size() + n + 1);
    for (std::size_t i = 0; ok && i < n; ++i) text.push_reserved(s[i]);
  }
};

/// Length of the token ("ORIGIN" or "{ORIGIN}") after a '$', or 0 if it is not `token`.
std::size_t token_length(const char* after_dollar, std::size_t left, const char* token) {
  std::size_t n = strlen(token);
  bool braced = left != 0 && *after_dollar == '{';
  std::size_t need = n + (braced ? 2 : 0);
  if (left < need || memcmp(after_dollar + (braced ? 1 : 0), token, n) != 0) return 0;
  if (braced) return after_dollar[n + 1] == '}' ? need : 0;
  if (left > n) {
    char c = after_dollar[n];
    bool word =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    if (word) return 0;
  }
  return need;
}

bool begins_with_origin(const char* p, const char* end) {
  return p != end && *p == '$' &&
         token_length(p + 1, static_cast<std::size_t>(end - p - 1), "ORIGIN") != 0;
}

}  // namespace

bool search_goes_on(const Error& error) {
  switch (error.code) {
  case Code::cannot_open:
    return error.sys_errno == sys::kEnoent || error.sys_errno == sys::kEnotdir ||
           error.sys_errno == sys::kEacces || error.sys_errno == sys::kEnametoolong;
  case Code::wrong_class:
  case Code::wrong_byte_order:
  case Code::wrong_machine: return true;
  default: return false;
  }
}

Status Searcher::open(const char* path, Found& out, std::uint16_t machine) {
  timeline::Span span("open", path);
  long fd = sys::open_for_reading(path);
  if (fd < 0) span.failed(errno_text(static_cast<int>(-fd)));
  if (fd < 0)
    return Error{.code = Code::cannot_open, .sys_errno = static_cast<int>(-fd), .object = path};
  return look_at(static_cast<int>(fd), path, out, machine);
}

Status Searcher::look_at(int fd, const char* path, Found& out, std::uint16_t machine) {
  out.fd = fd;
  auto fail = [&](Error e) -> Status {
    sys::close(out.fd);
    out.fd = -1;
    e.object = path;
    return e;
  };
  if (long e = sys::fstat(out.fd, &out.stat); e < 0)
    return fail({.code = Code::cannot_stat, .sys_errno = static_cast<int>(-e)});
  if (!sys::is_regular(out.stat))
    return fail({.code = Code::not_a_regular_file,
                 .sys_errno = sys::is_directory(out.stat) ? 21 : 0,
                 .value = out.stat.st_mode});
  long got = sys::pread_full(out.fd, out.head, sizeof out.head, 0);
  if (got < 0) return fail({.code = Code::cannot_read, .sys_errno = static_cast<int>(-got)});
  out.head_bytes = static_cast<std::size_t>(got);
  auto header = elf::check_header({out.head, out.head_bytes},
                                  static_cast<std::uint64_t>(out.stat.st_size), path, machine);
  if (!header) return fail(header.error());
  out.path = copy_string(path);
  if (out.path == nullptr) return fail({.code = Code::out_of_memory});
  return {};
}

const char* Searcher::platform() const {
  platform_known_ = true;
  return config.cpu.platform == nullptr ? nullptr : config.cpu.platform(config.cpu.context);
}

const char* origin_of(Requester& requester) {
  if (requester.find_origin != nullptr) requester.origin = requester.find_origin(requester);
  requester.find_origin = nullptr;
  return requester.origin;
}

char* Searcher::expand(const char* text, std::size_t length, Requester* requester) const {
  Builder b;
  for (std::size_t i = 0; i < length;) {
    if (text[i] != '$') {
      b.add(text + i++, 1);
      continue;
    }
    const char* at = text + i + 1;
    std::size_t left = length - i - 1, n = 0;
    const char* value = nullptr;
    if ((n = token_length(at, left, "ORIGIN")) != 0)
      value = requester == nullptr ? nullptr : origin_of(*requester);
    else if ((n = token_length(at, left, "LIB")) != 0)
      value = config.machine->lib_dir;
    else if ((n = token_length(at, left, "PLATFORM")) != 0)
      value = platform();
    if (n == 0) {
      b.add(text + i++, 1);
      continue;
    }
    if (value == nullptr || config.secure) return nullptr;
    b.add(value, strlen(value));
    i += 1 + n;
  }
  return b.ok ? copy_string(b.text.data() == nullptr ? "" : b.text.data(), b.text.size()) : nullptr;
}

Directory* Searcher::intern(const char* path, std::size_t length) {
  std::uint64_t hash = hash_bytes(path, length);
  Directory* known = table_.find(hash, [&](const Directory& d) {
    return d.length == length && memcmp(d.path, path, length) == 0;
  });
  if (known != nullptr) return known;
  auto* d = static_cast<Directory*>(heap::allocate(sizeof(Directory)));
  char* copy = copy_string(path, length);
  if (d == nullptr || copy == nullptr || !table_.insert(hash, d)) return nullptr;
  *d = {.path = copy, .length = static_cast<std::uint32_t>(length)};
  return d;
}

void Searcher::split(const char* text,
                     const char* separators,
                     Requester* requester,
                     DirectoryList& out) {
  ++lists_;
  for (Directory* d : out) d->mark = lists_;
  for (const char* p = text;; ++p) {
    const char* end = p;
    while (*end != 0 && !is_separator(*end, separators)) ++end;
    char* element = expand(p, static_cast<std::size_t>(end - p), requester);
    // An element that cannot be expanded is dropped, never taken for the current directory; one
    // that is empty as written is the current directory, one that expands to nothing is not
    // (CVE-2017-16997).
    if (end == p) {
      release_string(element);
      element = copy_string("./");
    }
    bool usable = element != nullptr && *element != 0;
    if (usable && config.secure && *element != '/') usable = false;
    if (usable && config.confined && requester != nullptr && !begins_with_origin(p, end))
      usable = false;
    if (usable) {
      std::size_t n = strlen(element);
      while (n > 1 && element[n - 1] == '/') --n;
      const char* slash = n == 1 && element[0] == '/' ? "" : "/";
      // Where an object was found is told with the sysroot in front already.
      bool is_its_place = begins_with_origin(p, end);
      const char* root = *element == '/' && !is_its_place ? config.sysroot : "";
      Path path(root, {element, n}, slash);
      Directory* d = path.text() == nullptr ? nullptr : intern(path.text(), strlen(path.text()));
      if (d != nullptr && d->mark != lists_) {
        d->mark = lists_;
        static_cast<void>(out.push(d));  // out of memory: the element is not searched
      }
    }
    release_string(element);
    if (*end == 0) return;
    p = end;
  }
}

DirectoryList& Searcher::library_path() {
  if (!library_path_split_) {
    library_path_split_ = true;
    if (config.library_path != nullptr && *config.library_path != 0)
      split(config.library_path, ":;", config.program, library_path_);
  }
  return library_path_;
}

DirectoryList& Searcher::default_directories() {
  if (!default_split_) {
    default_split_ = true;
    for (const char* prefix : {"/lib/", "/usr/lib/"}) {
      char path[64];
      std::size_t n = strlen(prefix), m = strlen(config.machine->multiarch);
      memcpy(path, prefix, n);
      memcpy(path + n, config.machine->multiarch, m + 1);
      split(path, ":", nullptr, default_);
    }
    split("/lib:/usr/lib", ":", nullptr, default_);
  }
  return default_;
}

DirectoryList& Searcher::configured_directories() {
  if (!configured_split_) {
    configured_split_ = true;
    if (config.directories != nullptr) split(config.directories, ":", nullptr, configured_);
  }
  return configured_;
}

bool Searcher::rpath_inhibited(const Requester& requester) const {
  if (config.inhibit_rpath == nullptr) return false;
  std::size_t n = strlen(requester.path);
  for (const char* p = config.inhibit_rpath;; ++p) {
    const char* end = p;
    while (*end != 0 && *end != ':' && *end != ' ') ++end;
    // The program's name is the empty one to ld.so; here it may be told by its path too.
    if (end == p && &requester == config.program) return true;
    if (static_cast<std::size_t>(end - p) == n && memcmp(p, requester.path, n) == 0) return true;
    if (*end == 0) return false;
    p = end;
  }
}

DirectoryList& Searcher::rpath(Requester& r) {
  if (!r.rpath_split) {
    r.rpath_split = true;
    if (r.rpath != nullptr && !rpath_inhibited(r)) split(r.rpath, ":", &r, r.rpath_directories);
  }
  return r.rpath_directories;
}

DirectoryList& Searcher::runpath(Requester& r) {
  if (!r.runpath_split) {
    r.runpath_split = true;
    if (r.runpath != nullptr && !rpath_inhibited(r))
      split(r.runpath, ":", &r, r.runpath_directories);
  }
  return r.runpath_directories;
}

std::span<const char* const> Searcher::hwcaps() {
  if (hwcaps_known_) return hwcaps_.span();
  hwcaps_known_ = true;
  // A name that there is no memory for is not searched.
  each_element(config.hwcaps_prepend, [&](std::string_view name) {
    if (char* copy = copy_string(name.data(), name.size())) static_cast<void>(hwcaps_.push(copy));
  });
  hwcaps_prepended_ = hwcaps_.size();
  if (config.cpu.hwcaps == nullptr) return hwcaps_.span();
  for (std::string_view name : config.cpu.hwcaps(config.cpu.context)) {
    bool wanted = config.hwcaps_mask == nullptr;
    each_element(config.hwcaps_mask,
                 [&](std::string_view each) { wanted = wanted || each == name; });
    char* copy = wanted ? copy_string(name.data(), name.size()) : nullptr;
    if (copy != nullptr) static_cast<void>(hwcaps_.push(copy));
  }
  return hwcaps_.span();
}

bool Searcher::has_hwcaps(Directory& d) {
  if (d.hwcaps_state == Directory::State::unknown) {
    Path path({d.path, d.length}, "glibc-hwcaps", "");
    long fd = path.text() == nullptr ? -1 : sys::open_for_reading(path.text());
    if (fd >= 0) sys::close(static_cast<int>(fd));
    d.hwcaps_state = fd >= 0 ? Directory::State::present : Directory::State::missing;
  }
  return d.hwcaps_state == Directory::State::present;
}

/// Opens one candidate. Gives not_found where the search goes on.
Status Searcher::try_path(const char* path, By by, const Requester* of, const Query& q) {
  const char* found_as = path;
  if (redirector.path != nullptr) {
    path = redirector.path(redirector.context, path, q.requester, by);
    if (path == nullptr) return not_found(q.name);
  }
  if (log::wants(log::kLibs)) log::line("  trying file=", path);
  if (by != By::rpath && by != By::runpath && by != By::note) of = nullptr;
  Status result = open(path, q.out);
  if (result && config.only_set_user_id && !sys::is_set_user_id(q.out.stat)) {
    sys::close(q.out.fd);
    release_string(q.out.path);
    result = Error{.code = Code::cannot_open, .sys_errno = sys::kEacces, .object = q.name};
  }
  if (listener.attempt != nullptr)
    listener.attempt(listener.context, {path, by, q.requester, result.error_if_any(), of});
  // The module is known by where it was found; only what is mapped is the other file.
  if (result && path != found_as) {
    release_string(q.out.path);
    q.out.path = copy_string(found_as);
    if (q.out.path == nullptr) {
      sys::close(q.out.fd);
      return Error{.code = Code::out_of_memory};
    }
  }
  if (result) {
    q.out.by = by;
    q.out.of = of;
    return result;
  }
  if (result.error().code == Code::wrong_class) other_class_ = result.error().subject;
  if (search_goes_on(result.error())) return not_found(q.name);
  return kept.keep(result.error());  // `path` is on a frame below, the error outlives it
}

Status Searcher::try_in(
    Directory& d, const char* subdirectory, By by, const Requester* of, const Query& q) {
  Path path({d.path, d.length}, subdirectory, q.name);
  if (path.text() == nullptr) return path.error(q.name);
  return try_path(path.text(), by, of, q);
}

void Searcher::log_directories(const DirectoryList& directories, By by, const Requester* of) {
  log::Line line;
  line << " search path=";
  const char* colon = "";
  auto add = [&](const Directory& d, const char* hwcap) {
    std::string_view path(d.path, d.length);
    if (d.length > 1 && hwcap == nullptr) path.remove_suffix(1);
    line << colon << path;
    if (hwcap != nullptr) line << "glibc-hwcaps/" << hwcap;
    colon = ":";
  };
  for (Directory* d : directories) {
    if (d->state == Directory::State::missing) continue;
    if (has_hwcaps(*d))
      for (const char* hwcap : hwcaps()) add(*d, hwcap);
    add(*d, nullptr);
  }
  line << "\t\t(" << (by == By::standard ? "system search path" : text_of(by));
  if (of != nullptr && (by == By::rpath || by == By::runpath || by == By::note))
    line << " from file " << of->path;
  line << ')';
}

Status
Searcher::search(const DirectoryList& directories, By by, const Requester* of, const Query& q) {
  if (log::wants(log::kLibs) && !directories.empty()) log_directories(directories, by, of);
  for (Directory* d : directories) {
    if (d->state == Directory::State::missing) continue;
    if (has_hwcaps(*d)) {
      d->state = Directory::State::present;
      for (const char* hwcap : hwcaps()) {
        char subdirectory[kHwcapNameMax + 15];
        std::size_t n = strlen(hwcap);
        if (n > kHwcapNameMax) continue;
        memcpy(subdirectory, "glibc-hwcaps/", 13);
        memcpy(subdirectory + 13, hwcap, n);
        memcpy(subdirectory + 13 + n, "/", 2);
        Status s = try_in(*d, subdirectory, by, of, q);
        if (s || !search_goes_on(s.error())) return s;
      }
    }
    Status s = try_in(*d, "", by, of, q);
    if (s || !search_goes_on(s.error())) return s;
    if (d->state == Directory::State::unknown) {
      long fd = sys::open_for_reading(d->path);
      d->state = fd >= 0 ? Directory::State::present : Directory::State::missing;
      if (fd >= 0) sys::close(static_cast<int>(fd));
    }
  }
  return not_found(q.name);
}

void Searcher::load_cache() {
  cache_loaded_ = true;
  Path path(config.sysroot, config.cache_path, "");
  if (path.text() == nullptr) return;
  long fd = sys::open_for_reading(path.text());
  if (fd < 0) return;
  sys::Stat st;
  if (sys::fstat(static_cast<int>(fd), &st) == 0 && sys::is_regular(st) && st.st_size > 0) {
    auto bytes = static_cast<std::size_t>(st.st_size);
    // Mapped for the life of the process: ldconfig replaces the file by rename, never in place.
    long at = sys::map(nullptr, bytes, sys::kProtRead, sys::kMapPrivate, static_cast<int>(fd), 0);
    if (at >= 0) cache_ = LdCache::parse({reinterpret_cast<const std::uint8_t*>(at), bytes});
  }
  sys::close(static_cast<int>(fd));
}

Status Searcher::search_cache(const Query& q) {
  if (config.inhibit_cache || config.only_set_user_id) return not_found(q.name);
  if (!cache_loaded_) load_cache();
  if (log::wants(log::kLibs)) log::line(" search cache=", config.cache_path);
  Hwcaps names{[](void* self) { return static_cast<Searcher*>(self)->hwcaps(); }, this};
  const char* cached = cache_.find(q.name, config.machine->cache_flags, names);
  if (cached == nullptr) return not_found(q.name);
  Path joined(config.sysroot, cached, "");
  const char* path = joined.text();
  if (path == nullptr) return joined.error(q.name);
  if (q.requester != nullptr && q.requester->no_default_directories)
    for (Directory* d : default_directories())
      if (memcmp(path, d->path, d->length) == 0 && find_char(path + d->length, '/') == nullptr)
        return not_found(q.name);
  return try_path(path, By::cache, nullptr, q);
}

void Searcher::each_cached(void (*visit)(void* context, const char* soname, const char* path),
                           void* context) {
  if (config.inhibit_cache) return;
  if (!cache_loaded_) load_cache();
  cache_.each(config.machine->cache_flags, visit, context);
}

/// The note that patchelf --build-resolution-cache writes says, for each DT_NEEDED name, where a
/// walk through the run path would find it: places separated by ':', each "=PATH" (a file) or
/// "?DIRECTORY" (to be searched, tokens and all).
/// Source: patchelf 0.19, "--build-resolution-cache".
Status Searcher::search_note(const Query& q) {
  const char* at = q.requester->resolution_note.data();
  const char* end = at + q.requester->resolution_note.size();
  if (at == end || end[-1] != 0) return not_found(q.name);
  while (at != end) {
    const char* soname = at;
    at += strlen(at) + 1;
    if (at == end) break;
    const char* places = at;
    at += strlen(at) + 1;
    if (!equal(soname, q.name)) continue;
    Status result = not_found(q.name);
    each_element(places, [&](std::string_view place) {
      if (result || !search_goes_on(result.error()) || place.size() < 2) return;
      char* text = copy_string(place.data() + 1, place.size() - 1);
      if (text == nullptr) return;
      if (place[0] == '=') {
        result = try_path(text, By::note, q.requester, q);
      } else if (place[0] == '?') {
        DirectoryList directories;
        split(text, "", q.requester, directories);
        result = search(directories, By::note, q.requester, q);
      }
      release_string(text);
    });
    return result;
  }
  return not_found(q.name);
}

namespace {
bool done(const Status& s) { return s.ok() || !search_goes_on(s.error()); }
}  // namespace

Status Searcher::search_map(const Query& q) {
  for (const Mapped& m : config.map)
    if (equal(m.name, q.name)) return try_path(m.path, By::map, nullptr, q);
  return not_found(q.name);
}

/// DT_RPATH of the requester, of who loaded it, and so on; of the program for all of them.
Status Searcher::search_rpaths(Requester& requester, const Query& q) {
  bool with_program = config.program != nullptr;
  for (Requester* r = &requester; r != nullptr; r = r->loader) {
    if (r == config.program) with_program = false;
    if (Status s = search(rpath(*r), By::rpath, r, q); done(s)) return s;
  }
  if (!with_program) return not_found(q.name);
  return search(rpath(*config.program), By::rpath, config.program, q);
}

Status Searcher::find(const char* name, Requester* requester, Found& out) {
  Status result{};
  if (memory.recall != nullptr && memory.recall(memory.context, name, requester, out, result))
    return result;
  result = find_name(name, requester, out);
  if (memory.note != nullptr) memory.note(memory.context, name, requester, result, out);
  if (log::wants(log::kLibs) && find_char(name, '/') == nullptr) log::line("");
  return result;
}

Status Searcher::find_name(const char* name, Requester* requester, Found& out) {
  const char* asked = name;
  if (redirector.path != nullptr)
    name = redirector.path(redirector.context, name, requester, By::name);
  if (name == nullptr) return not_found(asked);
  if (name == asked || find_char(name, '$') == nullptr)
    return find_redirected(name, requester, out);
  // An auditor's answer may hold tokens, as the name that it stands for.
  char* expanded = expand(name, strlen(name), requester);
  if (expanded == nullptr) return Error{.code = Code::empty_expansion, .object = name};
  Status result = find_redirected(expanded, requester, out);
  if (!result) result = kept.keep(result.error());
  release_string(expanded);
  return result;
}

Status Searcher::find_redirected(const char* name, Requester* requester, Found& out) {
  if (find_char(name, '/') != nullptr) {
    Status s = open(name, out);
    out.by = By::path;
    if (listener.attempt != nullptr)
      listener.attempt(listener.context, {name, By::path, requester, s.error_if_any()});
    return s;
  }
  if (log::wants(log::kLibs))
    log::line("find library=", log::In{name, requester == nullptr ? 0 : requester->ns},
              "; searching");
  timeline::Span span("search", name);
  Query q{name, requester, out};
  other_class_ = nullptr;
  if (Status s = search_map(q); done(s)) return s;
  if (Status s = search(configured_directories(), By::config, nullptr, q); done(s)) return s;
  if (requester != nullptr && requester->runpath == nullptr)
    if (Status s = search_rpaths(*requester, q); done(s)) return s;
  if (!config.confined)
    if (Status s = search(library_path(), By::library_path, requester, q); done(s)) return s;
  if (requester != nullptr && !requester->resolution_note.empty() && !config.confined &&
      !rpath_inhibited(*requester))
    if (Status s = search_note(q); done(s)) return s;
  if (requester != nullptr && requester->runpath != nullptr)
    if (Status s = search(runpath(*requester), By::runpath, requester, q); done(s)) return s;
  if (config.confined) return not_found(name);
  if (Status s = search_cache(q); done(s)) return s;
  if (requester == nullptr || !requester->no_default_directories)
    if (Status s = search(default_directories(), By::standard, requester, q); done(s)) return s;
  // Where there is the file, for another class of machine, that is what ld.so says.
  Error e = not_found(name);
  e.subject = other_class_;
  return e;
}

const char* text_of(By by) {
  switch (by) {
  case By::name: return "name";
  case By::path: return "path";
  case By::map: return "configured file";
  case By::config: return "configured directory";
  case By::rpath: return "RPATH";
  case By::library_path: return "LD_LIBRARY_PATH";
  case By::note: return "resolution note";
  case By::runpath: return "RUNPATH";
  case By::cache: return "cache";
  case By::standard: return "default";
  }
  return "";
}

}  // namespace myld::find
