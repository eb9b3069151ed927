#include "loader/find/search.hpp"

#include "loader/base/mem.hpp"
#include "loader/elf/headers.hpp"
#include "loader/find/parts.hpp"
#include "loader/find/timeline.hpp"
#include "loader/sys/log.hpp"

namespace myld::find {
namespace {

constexpr std::size_t kHwcapNameMax = 40;

bool done(const Status& s) { return s.ok() || !search_goes_on(s.error()); }

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
  if (fd < 0) {
    span.failed(errno_text(static_cast<int>(-fd)));
    return Error{.code = Code::cannot_open, .sys_errno = static_cast<int>(-fd), .object = path};
  }
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
        if (done(s)) return s;
      }
    }
    Status s = try_in(*d, "", by, of, q);
    if (done(s)) return s;
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
