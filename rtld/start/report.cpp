#include "rtld/start/report.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/calls.hpp"

namespace myld::start {
namespace {

void print(int fd, const char* text) { sys::write_all(fd, text, strlen(text)); }

void print_hex(int fd, std::uint64_t value) {
  char text[19] = "0x0000000000000000";
  for (int i = 17; value != 0; value >>= 4, --i) text[i] = "0123456789abcdef"[value & 15];
  print(fd, text);
}

const char* program_name(const Runtime& r) {
  return r.argc > 0 && r.argv[0] != nullptr ? r.argv[0] : "myld";
}

/// What kind of failure the first words name, as people and programs know them.
const char* prefix_of(const Error& e) {
  switch (e.code) {
  case Code::undefined_symbol: return ": symbol lookup error: ";
  case Code::version_not_found:
  case Code::undefined_version: return ": ";
  case Code::missing_program:
  case Code::unknown_option:
  case Code::missing_argument: return ": ";
  default: return ": error while loading shared libraries: ";
  }
}

void print_error(const Runtime& runtime, const Error& error, const char* prefix) {
  char text[1200];
  std::size_t n = render(error, text, sizeof text - 1);
  text[n++] = '\n';
  print(2, program_name(runtime));
  print(2, prefix);
  sys::write_all(2, text, n);
}

/// Shows each attempt of a search that failed.
void show_attempt(void*, const find::Attempt& a) {
  if (a.result.code == Code::none) return;
  print(2, "\tsearched: ");
  print(2, a.path);
  print(2, " (");
  print(2, a.by);
  print(2, "): ");
  print(2, a.result.sys_errno != 0 ? errno_text(a.result.sys_errno) : "not for this machine");
  print(2, "\n");
}

}  // namespace

void StartErrors::explain_search(const Error& e) {
  if (e.code != Code::cannot_open || e.sys_errno != sys::kEnoent || e.object == nullptr) return;
  load::Module* requester = nullptr;
  for (load::Module* m : runtime_.first.modules)
    if (e.detail != nullptr && equal(m->display, e.detail)) requester = m;
  find::Searcher& s = runtime_.loader.searcher;
  s.listener = {show_attempt, nullptr};
  find::Found found;
  if (s.find(e.object, requester == nullptr ? nullptr : &requester->requester, found))
    sys::close(found.fd);
  s.listener = {};
}

bool StartErrors::report(void* self, const Error& error) {
  auto& me = *static_cast<StartErrors*>(self);
  if (error.code == Code::undefined_version || error.code == Code::preload_ignored) {
    me.warn(error);
    return true;
  }
  me.fail(error);
  return true;
}

void StartErrors::warn(const Error& error) {
  const char* prefix = error.code == Code::preload_ignored ? ": ERROR: ld.so: " : prefix_of(error);
  if (error.code == Code::preload_ignored) {
    char text[1200];
    std::size_t n = render(error, text, sizeof text - 1);
    text[n++] = '\n';
    print(2, "ERROR: ld.so: ");
    sys::write_all(2, text, n);
    return;
  }
  print_error(runtime_, error, prefix);
}

void StartErrors::fail(const Error& error) {
  ++count;
  if (runtime_.options.trace_objects && error.code == Code::cannot_open) return;
  char kept[1024];
  Error shown = error;
  // The search below may replace the string that the error points to.
  if (error.object != nullptr && strlen(error.object) < sizeof kept) {
    memcpy(kept, error.object, strlen(error.object) + 1);
    shown.object = kept;
  }
  print_error(runtime_, shown, prefix_of(error));
  explain_search(shown);
}

void StartErrors::stop_if_any() const {
  if (count != 0) sys::exit(127);
}

void list_modules(Runtime& runtime,
                  std::span<load::Module* const> modules,
                  const StartErrors& errors) {
  if (runtime.vdso != nullptr) {
    print(1, "\t");
    print(1, runtime.vdso->path);
    print(1, " (");
    print_hex(1, runtime.vdso->mapping.start.value);
    print(1, ")\n");
  }
  std::uint32_t missing = 0;
  for (load::Module* m : modules) {
    if (m->is_program || m == runtime.vdso) continue;
    const char* name = m->is_loader       ? arch::Port::kLoaderSoname
                       : m->names.empty() ? m->path
                                          : m->names[0];
    for (const char* each : m->names)
      if (m->image.soname == nullptr || !equal(each, m->image.soname)) name = each;
    print(1, "\t");
    if (!equal(name, m->path)) {
      print(1, name);
      print(1, " => ");
    }
    print(1, m->path);
    print(1, " (");
    print_hex(1, m->mapping.start.value);
    print(1, ")\n");
  }
  for (load::Module* m : modules)
    for (std::uint32_t i = 0; i < m->image.dynamic_count; ++i) {
      if (m->image.dynamic[i].d_tag != DT_NEEDED) continue;
      const char* name = m->image.strings.at(m->image.dynamic[i].d_un.d_val);
      if (runtime.loader.find_loaded(runtime.first, name) != nullptr ||
          equal(name, arch::Port::kLoaderSoname) || find_char(name, '/') != nullptr)
        continue;
      ++missing;
      print(1, "\t");
      print(1, name);
      print(1, " => not found\n");
    }
  static_cast<void>(errors);
  static_cast<void>(missing);
  sys::exit(0);
}

}  // namespace myld::start
