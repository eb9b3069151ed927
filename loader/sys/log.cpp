#include "loader/sys/log.hpp"

namespace myld::log {

constinit std::uint32_t g_categories = 0;

namespace {

struct Named {
  char name[12];
  std::uint32_t categories;
  char help[60];
};

constexpr Named kNamed[] = {
    {"libs", kLibs, "display library search paths"},
    {"reloc", kReloc, "display relocation processing"},
    {"files", kFiles, "display progress for input file"},
    {"symbols", kSymbols, "display symbol table processing"},
    {"bindings", kBindings, "display information about symbol binding"},
    {"versions", kVersions, "display version dependencies"},
    {"scopes", kScopes, "display scope information"},
    {"tls", kTls, "display thread-local storage of modules"},
    {"all", kAll, "all previous options combined"},
    {"statistics", kStatistics, "display relocation statistics"},
    {"unused", kUnused, "determined unused DSOs"},
    {"help", kHelp, "display this help message and exit"},
};

constinit int g_fd = 2;

bool is_separator(char c) { return c == ' ' || c == ',' || c == ':'; }

/// NAME.PID, or nullptr if it does not fit.
const char* with_number(const char* name, char (&to)[4096]) {
  char digits[20];
  std::size_t n = strlen(name), count = 0;
  for (long pid = sys::getpid(); pid != 0 || count == 0; pid /= 10)
    digits[count++] = static_cast<char>('0' + pid % 10);
  if (n + count + 2 > sizeof to) return nullptr;
  memcpy(to, name, n);
  to[n++] = '.';
  while (count != 0) to[n++] = digits[--count];
  to[n] = 0;
  return to;
}

}  // namespace

std::uint32_t parse(const char* value) {
  std::uint32_t categories = 0;
  for (const char* p = value; *p != 0;) {
    const char* end = p;
    while (*end != 0 && !is_separator(*end)) ++end;
    std::string_view word(p, static_cast<std::size_t>(end - p));
    const Named* known = nullptr;
    for (const Named& each : kNamed)
      if (each.name == word) known = &each;
    if (known != nullptr)
      categories |= known->categories;
    else if (!word.empty())
      sys::Text(2) << "warning: debug option `" << word << "' unknown; try LD_DEBUG=help\n";
    p = *end == 0 ? end : end + 1;
  }
  return categories;
}

namespace {

/// Not inlined: a start without a log need not pay for the buffer with a page of stack.
[[gnu::noinline]] void open_file(const char* file) {
  char path[4096];
  const char* name = with_number(file, path);
  long fd = name == nullptr ? -1 : sys::open_for_appending(name);
  g_fd = fd < 0 ? 1 : static_cast<int>(fd);
}

}  // namespace

void start(std::uint32_t categories, const char* file) {
  g_categories = categories;
  if (categories != 0 && file != nullptr) open_file(file);
}

void print_help() {
  sys::Text out(1);
  out << "Valid options for the LD_DEBUG environment variable are:\n\n";
  for (const Named& each : kNamed) {
    out << "  " << each.name;
    for (std::size_t i = strlen(each.name); i < 12; ++i) out << ' ';
    out << each.help << '\n';
  }
  out << "\nTo direct the debugging output into a file instead of standard error\n"
         "a filename can be specified using the LD_DEBUG_OUTPUT environment variable.\n";
}

Line::Line() : text_(g_fd) {
  constexpr unsigned kWidth = 10;
  text_ << sys::Decimal{static_cast<std::uint64_t>(sys::getpid()), kWidth} << ":\t";
}

void failure(const Error& error, bool goes_on) {
  const char* occasion = error.code == Code::undefined_symbol    ? "symbol lookup error"
                         : error.code == Code::version_not_found ? "version lookup error"
                                                                 : "loading error";
  Error nameless = error;
  nameless.object = "";
  char reason[1024];
  render(nameless, reason, sizeof reason);
  line(error.object == nullptr ? "" : error.object, ": error: ", occasion, ": ",
       static_cast<const char*>(reason), goes_on ? " (continued)" : " (fatal)");
}

}  // namespace myld::log
