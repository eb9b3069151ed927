#include "rtld/binding/request.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/log.hpp"

namespace myld::binding {
namespace {

/// Lines "name=value". Backslashes and newlines of values are written as \\ and \n, so that two
/// different requests are never one text.
struct Lines {
  Vec<char> text;
  bool ok = true;

  void add(char c) { ok = ok && text.push(c); }
  void add(const char* s) {
    for (; *s != 0; ++s) add(*s);
  }
  void value(const char* s) {
    for (; *s != 0; ++s) {
      if (*s == '\\' || *s == '\n') add('\\');
      add(*s == '\n' ? 'n' : *s);
    }
  }
  /// Nothing for a null pointer: unset is not empty.
  void line(const char* name, const char* s) {
    if (s == nullptr) return;
    add(name);
    add('=');
    value(s);
    add('\n');
  }
  char* take() {
    return ok ? copy_string(text.data() == nullptr ? "" : text.data(), text.size()) : nullptr;
  }
};

}  // namespace

bool may_take_part(const Runtime& r) {
  const Options& o = r.options;
  constexpr std::uint32_t kTold =
      log::kLibs | log::kSymbols | log::kBindings | log::kVersions | log::kUnused;
  bool asked = o.mode == Mode::run || o.mode == Mode::bind || o.mode == Mode::verify_binding;
  return asked && !r.secure && !r.audit.active() && o.audit == nullptr &&
         o.audit_option == nullptr && !o.bind_not && !o.dynamic_weak && o.profile == nullptr &&
         !log::wants(kTold);
}

bool program_path(const Runtime& r, char (&to)[kPathMax]) {
  if (!r.direct) {
    long n = sys::readlink("/proc/self/exe", to, sizeof to - 1);
    if (n <= 0 || static_cast<std::size_t>(n) >= sizeof to - 1) return false;
    to[n] = 0;
    return true;
  }
  const char* name = r.program_file;
  for (const char* p = name; *p != 0; ++p)
    if (*p == '/') name = p + 1;
  const char* directory = find::origin_of(r.program->requester);
  if (directory == nullptr) return false;
  std::size_t n = strlen(directory), m = strlen(name);
  if (n + m + 2 > sizeof to) return false;
  memcpy(to, directory, n);
  if (n == 0 || to[n - 1] != '/') to[n++] = '/';
  memcpy(to + n, name, m + 1);
  return true;
}

char* make_key(Runtime& r, const char* program) {
  const find::Config& c = r.loader.searcher.config;
  Lines l;
  l.line("program", program);
  l.line("origin", find::origin_of(r.program->requester));
  l.line("LD_LIBRARY_PATH",
         c.library_path != nullptr && *c.library_path != 0 ? c.library_path : nullptr);
  l.line("LD_PRELOAD", r.options.preload);
  l.line("preload", r.options.preload_option);
  l.line("configured-preload", r.options.preload_configured);
  l.line("configured-directories", c.directories);
  if (c.confined) l.line("confine", "yes");
  for (const find::Mapped& m : c.map) {
    l.line("map", m.name);
    l.line("to", m.path);
  }
  if (r.options.bind_now) l.line("bind", "now");
  l.line("sysroot", *c.sysroot != 0 ? c.sysroot : nullptr);
  l.line("cache", c.inhibit_cache ? nullptr : c.cache_path);
  l.line("inhibit-rpath", c.inhibit_rpath);
  l.line("hwcaps-prepend", c.hwcaps_prepend);
  l.line("hwcaps-mask", c.hwcaps_mask);
  if (r.loader.policy.segments.allow_writable_executable) l.line("allow", "wx");
  if (!r.loader.policy.allow_text_relocations) l.line("refuse", "textrel");
  return l.take();
}

char* describe_cpu(Runtime& r) {
  find::Searcher& s = r.loader.searcher;
  Lines l;
  l.line("platform", s.platform());
  for (const char* name : s.hwcaps()) l.line("hwcaps", name);
  return l.take();
}

}  // namespace myld::binding
