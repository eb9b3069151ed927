#include "loader/find/search.hpp"

#include "arch/port.hpp"
#include "loader/base/mem.hpp"
#include "loader/elf/headers.hpp"

namespace myld::find {
namespace {

/// Paths longer than this are refused by the kernel too (PATH_MAX).
constexpr std::size_t kPathMax = 4096;

bool is_separator(char c, const char* separators) {
  return c != 0 && find_char(separators, c) != nullptr;
}

/// Joins up to three parts in `to`; false if they do not fit.
bool join(char (&to)[kPathMax], const char* a, std::size_t a_bytes, const char* b, const char* c) {
  std::size_t b_bytes = strlen(b), c_bytes = strlen(c);
  if (a_bytes + b_bytes + c_bytes >= kPathMax) return false;
  memcpy(to, a, a_bytes);
  memcpy(to + a_bytes, b, b_bytes);
  memcpy(to + a_bytes + b_bytes, c, c_bytes + 1);
  return true;
}

Error not_found(const char* name) {
  return {.code = Code::cannot_open, .sys_errno = sys::kEnoent, .object = name};
}

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

Status Searcher::open(const char* path, Found& out) {
  long fd = sys::open_for_reading(path);
  if (fd < 0)
    return Error{.code = Code::cannot_open, .sys_errno = static_cast<int>(-fd), .object = path};
  out.fd = static_cast<int>(fd);
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
                                  static_cast<std::uint64_t>(out.stat.st_size), path);
  if (!header) return fail(header.error());
  out.path = copy_string(path);
  if (out.path == nullptr) return fail({.code = Code::out_of_memory});
  return {};
}

char* Searcher::expand(const char* text, std::size_t length, const Requester* requester) const {
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
      value = requester == nullptr ? nullptr : requester->origin;
    else if ((n = token_length(at, left, "LIB")) != 0)
      value = arch::Port::kLibDir;
    else if ((n = token_length(at, left, "PLATFORM")) != 0)
      value = config.platform;
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
                     const Requester* requester,
                     DirectoryList& out) {
  for (const char* p = text;; ++p) {
    const char* end = p;
    while (*end != 0 && !is_separator(*end, separators)) ++end;
    char* element = expand(p, static_cast<std::size_t>(end - p), requester);
    // An element that cannot be expanded is dropped, never taken for the current directory; one
    // that expands to nothing is the current directory only if it was empty as written
    // (CVE-2017-16997).
    bool usable = element != nullptr && (*element != 0 || end == p);
    if (usable && config.secure && *element != '/') usable = false;
    if (usable) {
      char path[kPathMax];
      std::size_t n = strlen(element);
      while (n > 1 && element[n - 1] == '/') --n;
      const char* slash = n == 0 || (n == 1 && element[0] == '/') ? "" : "/";
      const char* root = *element == '/' ? config.sysroot : "";
      if (strlen(root) + n + 2 < kPathMax) {
        std::size_t root_bytes = strlen(root);
        memcpy(path, root, root_bytes);
        memcpy(path + root_bytes, element, n);
        memcpy(path + root_bytes + n, slash, strlen(slash) + 1);
        if (Directory* d = intern(path, strlen(path)); d != nullptr && !out.contains(d))
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
      split(config.library_path, ":;", nullptr, library_path_);
  }
  return library_path_;
}

DirectoryList& Searcher::default_directories() {
  if (!default_split_) {
    default_split_ = true;
    for (const char* prefix : {"/lib/", "/usr/lib/"}) {
      char path[64];
      std::size_t n = strlen(prefix), m = strlen(arch::Port::kMultiarch);
      memcpy(path, prefix, n);
      memcpy(path + n, arch::Port::kMultiarch, m + 1);
      split(path, ":", nullptr, default_);
    }
    split("/lib:/usr/lib", ":", nullptr, default_);
  }
  return default_;
}

bool Searcher::rpath_inhibited(const Requester& requester) const {
  if (config.inhibit_rpath == nullptr) return false;
  std::size_t n = strlen(requester.path);
  for (const char* p = config.inhibit_rpath; *p != 0;) {
    const char* end = p;
    while (*end != 0 && *end != ':' && *end != ' ') ++end;
    if (static_cast<std::size_t>(end - p) == n && memcmp(p, requester.path, n) == 0) return true;
    p = *end == 0 ? end : end + 1;
  }
  return false;
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

bool Searcher::has_hwcaps(Directory& d) {
  if (d.hwcaps_state == Directory::State::unknown) {
    char path[kPathMax];
    long fd = -1;
    if (!config.hwcaps.empty() && join(path, d.path, d.length, "glibc-hwcaps", ""))
      fd = sys::open_for_reading(path);
    if (fd >= 0) sys::close(static_cast<int>(fd));
    d.hwcaps_state = fd >= 0 ? Directory::State::present : Directory::State::missing;
  }
  return d.hwcaps_state == Directory::State::present;
}

Status Searcher::try_in(Directory& d,
                        const char* subdirectory,
                        const char* by,
                        const char* name,
                        const Requester* requester,
                        Found& out) {
  char path[kPathMax];
  Status result = not_found(name);
  if (!join(path, d.path, d.length, subdirectory, name))
    result = Error{.code = Code::cannot_open, .sys_errno = sys::kEnametoolong, .object = name};
  else
    result = open(path, out);
  if (listener.attempt != nullptr)
    listener.attempt(listener.context, {path, by, requester, result.error()});
  // `path` is on this frame, the error outlives it
  if (!result && !search_goes_on(result.error())) return kept.keep(result.error());
  return result.ok() ? result : Status(not_found(name));
}

Status Searcher::search(const DirectoryList& directories,
                        const char* by,
                        const char* name,
                        const Requester* requester,
                        Found& out) {
  for (Directory* d : directories) {
    if (d->state == Directory::State::missing) continue;
    if (has_hwcaps(*d)) {
      d->state = Directory::State::present;
      for (const char* hwcap : config.hwcaps) {
        char subdirectory[64];
        std::size_t n = strlen(hwcap);
        if (n > 40) continue;
        memcpy(subdirectory, "glibc-hwcaps/", 13);
        memcpy(subdirectory + 13, hwcap, n);
        memcpy(subdirectory + 13 + n, "/", 2);
        Status s = try_in(*d, subdirectory, by, name, requester, out);
        if (s || !search_goes_on(s.error())) return s;
      }
    }
    Status s = try_in(*d, "", by, name, requester, out);
    if (s || !search_goes_on(s.error())) return s;
    if (d->state == Directory::State::unknown && d->length != 0) {
      long fd = sys::open_for_reading(d->path);
      d->state = fd >= 0 ? Directory::State::present : Directory::State::missing;
      if (fd >= 0) sys::close(static_cast<int>(fd));
    }
  }
  return not_found(name);
}

void Searcher::load_cache() {
  cache_loaded_ = true;
  char path[kPathMax];
  if (!join(path, config.sysroot, strlen(config.sysroot), config.cache_path, "")) return;
  long fd = sys::open_for_reading(path);
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

Status Searcher::search_cache(const char* name, const Requester* requester, Found& out) {
  if (config.inhibit_cache) return not_found(name);
  if (!cache_loaded_) load_cache();
  const char* cached = cache_.find(name, arch::Port::kCacheFlags, config.hwcaps);
  if (cached == nullptr) return not_found(name);
  char path[kPathMax];
  if (!join(path, config.sysroot, strlen(config.sysroot), cached, "")) return not_found(name);
  if (requester != nullptr && requester->no_default_directories)
    for (Directory* d : default_directories())
      if (memcmp(path, d->path, d->length) == 0 && find_char(path + d->length, '/') == nullptr)
        return not_found(name);
  Status s = open(path, out);
  if (listener.attempt != nullptr)
    listener.attempt(listener.context, {path, "cache", requester, s.error()});
  if (s) return s;
  if (search_goes_on(s.error())) return not_found(name);
  return kept.keep(s.error());
}

Status Searcher::find(const char* name, Requester* requester, Found& out) {
  if (find_char(name, '/') != nullptr) {
    Status s = open(name, out);
    if (listener.attempt != nullptr)
      listener.attempt(listener.context, {name, "path", requester, s.error()});
    return s;
  }
  auto done = [](const Status& s) { return s.ok() || !search_goes_on(s.error()); };
  if (requester != nullptr && requester->runpath == nullptr)
    for (Requester* r = requester; r != nullptr; r = r->loader)
      if (Status s = search(rpath(*r), "RPATH", name, r, out); done(s)) return s;
  if (Status s = search(library_path(), "LD_LIBRARY_PATH", name, requester, out); done(s)) return s;
  if (requester != nullptr && requester->runpath != nullptr)
    if (Status s = search(runpath(*requester), "RUNPATH", name, requester, out); done(s)) return s;
  if (Status s = search_cache(name, requester, out); done(s)) return s;
  if (requester == nullptr || !requester->no_default_directories)
    if (Status s = search(default_directories(), "default", name, requester, out); done(s))
      return s;
  return not_found(name);
}

}  // namespace myld::find
