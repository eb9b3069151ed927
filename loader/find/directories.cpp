// The lists of directories: made of what files, the environment and the configuration say, when
// they are first searched, each directory once.
#include "loader/base/mem.hpp"
#include "loader/find/parts.hpp"
#include "loader/find/search.hpp"

namespace myld::find {
namespace {

bool is_separator(char c, const char* separators) {
  return c != 0 && find_char(separators, c) != nullptr;
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

bool begins_with_origin(const char* p, const char* end) {
  return p != end && *p == '$' &&
         token_length(p + 1, static_cast<std::size_t>(end - p - 1), "ORIGIN") != 0;
}

}  // namespace

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

}  // namespace myld::find
