#include "rtld/start/command_line.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/calls.hpp"

namespace myld::start {
namespace {

struct Switch {
  const char* name;
  void (*set)(Runtime&, CommandLine&);
  const char* help;
};
struct WithValue {
  const char* name;
  void (*set)(Runtime&, const char* value);
  const char* placeholder;
  const char* help;
};

constexpr Switch kSwitches[] = {
    {"--list", [](Runtime& r, CommandLine&) { r.options.trace_objects = true; },
     "list the modules and where they were found, and exit"},
    {"--verify", [](Runtime& r, CommandLine&) { r.options.verify = true; },
     "tell by the exit status whether the file can be run: 0 program, 2 library, 1 neither"},
    {"--inhibit-cache",
     [](Runtime& r, CommandLine&) { r.loader.searcher.config.inhibit_cache = true; },
     "do not use /etc/ld.so.cache"},
    {"--list-tunables", [](Runtime&, CommandLine& c) { c.list_tunables = true; },
     "list what GLIBC_TUNABLES can set, with values and bounds, and exit"},
    {"--help", [](Runtime&, CommandLine& c) { c.help = true; }, "print this text and exit"},
    {"--version", [](Runtime&, CommandLine& c) { c.version = true; }, "print the version and exit"},
};

constexpr WithValue kValues[] = {
    {"--library-path", [](Runtime& r, const char* v) { r.loader.searcher.config.library_path = v; },
     "PATH", "search these directories instead of LD_LIBRARY_PATH"},
    {"--inhibit-rpath",
     [](Runtime& r, const char* v) { r.loader.searcher.config.inhibit_rpath = v; }, "LIST",
     "ignore DT_RPATH and DT_RUNPATH of these files"},
    {"--preload", [](Runtime& r, const char* v) { r.options.preload_option = v; }, "LIST",
     "load these before the program's own libraries"},
    {"--argv0", [](Runtime& r, const char* v) { r.options.argv0 = v; }, "STRING",
     "the program's argv[0]"},
    {"--sysroot", [](Runtime& r, const char* v) { r.loader.searcher.config.sysroot = v; }, "DIR",
     "look for libraries and ld.so.cache below DIR"},
};

void print(const char* text) { sys::write_all(1, text, strlen(text)); }

/// "--name=value": the value, or nullptr.
const char* inline_value(const char* argument, const char* name) {
  std::size_t n = strlen(name);
  return strlen(argument) > n && memcmp(argument, name, n) == 0 && argument[n] == '='
             ? argument + n + 1
             : nullptr;
}

}  // namespace

CommandLine parse(Runtime& runtime) {
  CommandLine line;
  for (int i = 1; i < runtime.argc;) {
    const char* argument = runtime.argv[i];
    if (argument[0] != '-' || argument[1] != '-') {
      line.program_index = i;
      return line;
    }
    if (argument[2] == 0) {
      if (i + 1 < runtime.argc) line.program_index = i + 1;
      return line;
    }
    bool known = false;
    for (const Switch& s : kSwitches)
      if (equal(argument, s.name)) {
        s.set(runtime, line);
        known = true;
        ++i;
      }
    if (known) continue;
    for (const WithValue& v : kValues) {
      const char* value = inline_value(argument, v.name);
      bool apart = equal(argument, v.name);
      if (value == nullptr && !apart) continue;
      known = true;
      if (apart) {
        if (i + 1 >= runtime.argc) {
          line.error = {.code = Code::missing_argument, .subject = argument};
          return line;
        }
        value = runtime.argv[i + 1];
      }
      v.set(runtime, value);
      i += apart ? 2 : 1;
      break;
    }
    if (!known) {
      line.error = {.code = Code::unknown_option, .subject = argument};
      return line;
    }
  }
  return line;
}

void print_help(const Runtime& runtime) {
  print("Usage: ");
  print(runtime.argv[0]);
  print(" [OPTION]... PROGRAM [ARGUMENT]...\n"
        "Run a dynamically linked program. myld is a dynamic loader: it takes the place of ld.so, "
        "here or\n"
        "as the interpreter that the program names.\n\n");
  auto row = [](const char* name, const char* placeholder, const char* help) {
    char left[40];
    std::size_t n = 0;
    auto add = [&](const char* s) {
      while (*s != 0 && n < sizeof left - 1) left[n++] = *s++;
    };
    add("  ");
    add(name);
    add(" ");
    add(placeholder);
    while (n < 28) left[n++] = ' ';
    left[n] = 0;
    print(left);
    print(help);
    print("\n");
  };
  for (const Switch& s : kSwitches) row(s.name, "", s.help);
  for (const WithValue& v : kValues) row(v.name, v.placeholder, v.help);
}

void print_version() { print("myld " MYLD_VERSION "\n"); }

}  // namespace myld::start
