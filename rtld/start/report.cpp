#include "rtld/start/report.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/log.hpp"

namespace myld::start {
namespace {

void print(int fd, const char* text) { sys::write_all(fd, text, strlen(text)); }

const char* program_name(const Runtime& r) {
  return r.argc > 0 && r.argv[0] != nullptr ? r.argv[0] : "myld";
}

/// What kind of failure the first words name, as people and programs know them.
const char* prefix_of(const Error& e) {
  switch (e.code) {
  case Code::undefined_symbol: return ": symbol lookup error: ";
  case Code::version_not_found:
  case Code::undefined_version: return ": ";
  case Code::cannot_bind:
  case Code::cannot_write:
  case Code::cannot_execute:
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

}  // namespace

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
  if (error.code == Code::preload_ignored || error.code == Code::auditor_ignored) {
    char text[1200];
    std::size_t n = render(error, text, sizeof text - 1);
    text[n++] = '\n';
    print(2, "ERROR: ld.so: ");
    sys::write_all(2, text, n);
    return;
  }
  print_error(runtime_, error, prefix_of(error));
}

bool StartErrors::note_missing(const Error& error) {
  // Each module that needs it makes a line of its own, as in ld.so's list.
  char* name = copy_string(error.object);
  return name != nullptr && missing.push({name, runtime_.first.modules.size()});
}

void StartErrors::fail(const Error& error) {
  if (runtime_.options.mode == Mode::trace && error.code == Code::cannot_open &&
      error.object != nullptr && runtime_.program != nullptr && note_missing(error))
    return;
  log::failure_if_wanted(error, runtime_.loader.as_data);
  ++count;
  failures.add(error);
  if (runtime_.loader.as_data && runtime_.program != nullptr) return;
  Error shown = error;
  // Who needs it is told with the rest of the story; the line is ld.so's.
  if (error.code == Code::cannot_open && runtime_.program != nullptr) shown.detail = nullptr;
  print_error(runtime_, shown, prefix_of(error));
}

void StartErrors::stop_if_any(int status) {
  if (count == 0) return;
  // What is told needs a program that it is told of.
  if (runtime_.program != nullptr || runtime_.options.json)
    failures.tell(runtime_, status, runtime_.options.json);
  sys::exit(status);
}

}  // namespace myld::start
