#include "rtld/start/command_line.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/text.hpp"

namespace myld::start {
namespace {

/// One option. `set` gets the value, or nullptr where the option takes none.
struct Option {
  const char* name;
  const char* placeholder;  ///< nullptr: it takes no value
  const char* help;
  void (*set)(Runtime&, CommandLine&, const char* value);
};

find::Config& search(Runtime& r) { return r.loader.searcher.config; }

constexpr Option kOptions[] = {
    {"--list", nullptr, "list the modules and where they were found, and exit",
     [](Runtime& r, CommandLine&, const char*) { r.options.mode = Mode::list; }},
    {"--verify", nullptr, "tell by the exit status what FILE is: 0 program, 2 library, 1 neither",
     [](Runtime& r, CommandLine&, const char*) { r.options.mode = Mode::verify; }},
    {"--inhibit-cache", nullptr, "do not use /etc/ld.so.cache",
     [](Runtime& r, CommandLine&, const char*) { search(r).inhibit_cache = true; }},
    {"--library-path", "PATH", "search these directories instead of LD_LIBRARY_PATH",
     [](Runtime& r, CommandLine&, const char* v) { search(r).library_path = v; }},
    {"--glibc-hwcaps-prepend", "LIST", "search these glibc-hwcaps subdirectories first",
     [](Runtime& r, CommandLine&, const char* v) { search(r).hwcaps_prepend = v; }},
    {"--glibc-hwcaps-mask", "LIST", "of the CPU's glibc-hwcaps subdirectories search only these",
     [](Runtime& r, CommandLine&, const char* v) { search(r).hwcaps_mask = v; }},
    {"--inhibit-rpath", "LIST", "ignore DT_RPATH and DT_RUNPATH of these files",
     [](Runtime& r, CommandLine&, const char* v) { search(r).inhibit_rpath = v; }},
    {"--audit", "LIST", "use these as auditors (rtld-audit(7))",
     [](Runtime& r, CommandLine&, const char* v) { r.options.audit_option = v; }},
    {"--preload", "LIST", "load these before the program's own libraries",
     [](Runtime& r, CommandLine&, const char* v) { r.options.preload_option = v; }},
    {"--allow", "LIST", "let in what is refused: wx, textrel, execstack, unsealed (docs/policy.md)",
     [](Runtime& r, CommandLine&, const char* v) { r.options.allow = v; }},
    {"--argv0", "STRING", "the program's argv[0]",
     [](Runtime& r, CommandLine&, const char* v) { r.options.argv0 = v; }},
    {"--sysroot", "DIR", "look for libraries and ld.so.cache below DIR",
     [](Runtime& r, CommandLine&, const char* v) { search(r).sysroot = v; }},
    {"--tree", nullptr, "print the closure as a tree, with how each file was found, and exit",
     [](Runtime& r, CommandLine&, const char*) { r.options.mode = Mode::tree; }},
    {"--explain", "NAME",
     "tell who asks for the symbol or library NAME, who has it and by which rule, and exit",
     [](Runtime& r, CommandLine&, const char* v) {
       r.options.mode = Mode::explain;
       r.options.explain = v;
     }},
    {"--bind", nullptr, "write the binding file of PROGRAM, which its starts then use, and exit",
     [](Runtime& r, CommandLine&, const char*) { r.options.mode = Mode::bind; }},
    {"--image", nullptr, "with --bind: write an image of the libraries too (docs/binding.md)",
     [](Runtime& r, CommandLine&, const char*) { r.options.image = true; }},
    {"--verify-binding", nullptr,
     "compare the binding file of PROGRAM with what is found now, and exit",
     [](Runtime& r, CommandLine&, const char*) { r.options.mode = Mode::verify_binding; }},
    {"--config", "FILE", "read this instead of PROGRAM.myld.conf (docs/config.md)",
     [](Runtime& r, CommandLine&, const char* v) { r.options.config = v; }},
    {"--report", "FILE", "write a page about the start of the program (HTML)",
     [](Runtime& r, CommandLine&, const char* v) { r.options.report_file = v; }},
    {"--trace", "FILE", "write when each step of the start was, in Chrome's trace format",
     [](Runtime& r, CommandLine&, const char* v) { r.options.trace_file = v; }},
    {"--json", nullptr, "tell lists and failures as JSON, on standard output",
     [](Runtime& r, CommandLine&, const char*) { r.options.json = true; }},
    {"--list-tunables", nullptr, "list the tunables with their values and bounds, and exit",
     [](Runtime&, CommandLine& c, const char*) { c.request = Request::tunables; }},
    {"--list-diagnostics", nullptr, "print what the loader knows of this system, and exit",
     [](Runtime&, CommandLine& c, const char*) { c.request = Request::diagnostics; }},
    {"--help", nullptr, "print this text and exit",
     [](Runtime&, CommandLine& c, const char*) { c.request = Request::help; }},
    {"--version", nullptr, "print the version and exit",
     [](Runtime&, CommandLine& c, const char*) { c.request = Request::version; }},
};

/// "--name=value": the value, or nullptr.
const char* inline_value(const char* argument, const char* name) {
  std::size_t n = strlen(name);
  return strlen(argument) > n && memcmp(argument, name, n) == 0 && argument[n] == '='
             ? argument + n + 1
             : nullptr;
}

/// Takes the option at argv[i]. Returns how many arguments it took: 0 if it is none.
int take(Runtime& r, CommandLine& line, int i) {
  const char* argument = r.argv[i];
  for (const Option& o : kOptions) {
    bool whole = equal(argument, o.name);
    const char* value = o.placeholder == nullptr ? nullptr : inline_value(argument, o.name);
    if (!whole && value == nullptr) continue;
    if (o.placeholder == nullptr || value != nullptr) {
      o.set(r, line, value);
      return 1;
    }
    if (i + 1 >= r.argc) {
      line.error = {.code = Code::missing_argument, .subject = argument};
      return 0;
    }
    o.set(r, line, r.argv[i + 1]);
    return 2;
  }
  line.error = {.code = Code::unknown_option, .subject = argument};
  return 0;
}

}  // namespace

CommandLine parse(Runtime& r) {
  CommandLine line;
  int i = 1;
  while (i < r.argc && r.argv[i][0] == '-' && r.argv[i][1] == '-') {
    if (r.argv[i][2] == 0) {
      ++i;
      break;
    }
    int taken = take(r, line, i);
    if (taken == 0) return line;
    i += taken;
  }
  if (i < r.argc) line.program_index = i;
  return line;
}

void print_options() {
  sys::Text out(1);
  for (const Option& o : kOptions) {
    constexpr std::size_t kColumn = 24;
    std::size_t n = 2 + strlen(o.name);
    out << "  " << o.name;
    if (o.placeholder != nullptr) {
      n += 1 + strlen(o.placeholder);
      out << ' ' << o.placeholder;
    }
    if (n + 1 >= kColumn) {
      out << '\n';
      n = 0;
    }
    for (; n < kColumn; ++n) out << ' ';
    out << o.help << '\n';
  }
}

}  // namespace myld::start
