#include "rtld/start/config_text.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/stack.hpp"

#include <new>

namespace myld::start {
namespace {

constexpr std::string_view kOrigin = "$ORIGIN";

/// The next word of `line`, which loses it; empty at the end.
std::string_view take_word(std::string_view& line) {
  auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!line.empty() && blank(line[0])) line.remove_prefix(1);
  std::size_t n = 0;
  while (n < line.size() && !blank(line[n])) ++n;
  std::string_view word(line.data(), n);
  line.remove_prefix(n);
  return word;
}

/// Appends to a list of strings that are separated by `separator`: a new heap string in `list`.
bool append(const char*& list, char separator, const char* text) {
  std::size_t old = list == nullptr ? 0 : strlen(list) + 1, n = strlen(text);
  auto* joined = static_cast<char*>(heap::allocate(old + n + 1));
  if (joined == nullptr) return false;
  if (old != 0) {
    memcpy(joined, list, old - 1);
    joined[old - 1] = separator;
  }
  memcpy(joined + old, text, n + 1);
  release_string(list);
  list = joined;
  return true;
}

struct Reader {
  Runtime& r;
  const char* file;
  std::string_view directory;  ///< of the file, without the last slash
  Vec<char*>& environment;     ///< "NAME=value"
  Vec<find::Mapped>& map;      ///< lives as long as the process, in the searcher's hands
  bool binding_is_asked_for = r.options.binding != nullptr;      ///< by MYLD_BINDING
  bool huge_text_is_asked_for = r.options.huge_text != nullptr;  ///< by MYLD_HUGE_TEXT
  char* configured_binding = nullptr;  ///< what the last such line said: as long as the process

  Error bad(const char* what, std::uint64_t line) const {
    return {.code = Code::bad_config, .object = file, .subject = what, .value = line};
  }
  Error no_memory() const { return {.code = Code::out_of_memory, .object = file}; }

  /// A copy with each $ORIGIN replaced by the file's directory.
  Result<char*> expand(std::string_view text, std::uint64_t line) const {
    char out[4096];
    std::size_t n = 0;
    auto put = [&](std::string_view s) {
      if (s.size() >= sizeof out - n) return false;
      memcpy(out + n, s.data(), s.size());
      n += s.size();
      return true;
    };
    while (!text.empty()) {
      bool token = text.starts_with(kOrigin);
      if (!put(token ? directory : std::string_view(text.data(), 1)))
        return bad("a path that is too long", line);
      text.remove_prefix(token ? kOrigin.size() : 1);
    }
    char* copy = copy_string(out, n);
    if (copy == nullptr) return no_memory();
    return copy;
  }

  Status search(std::string_view value, std::uint64_t line) {
    char* path = MYLD_TRY(expand(value, line));
    if (path[0] != '/' || find_char(path, ':') != nullptr || find_char(path, '$') != nullptr)
      return bad("'search' takes an absolute directory, or one that begins with $ORIGIN", line);
    bool ok = append(r.loader.searcher.config.directories, ':', path);
    release_string(path);
    return ok ? Status{} : no_memory();
  }
  Status add_map(std::string_view name, std::string_view value, std::uint64_t line) {
    if (value.empty()) return bad("'map' takes a name and a path", line);
    char* path = MYLD_TRY(expand(value, line));
    find::Mapped m{copy_string(name.data(), name.size()), path};
    if (m.name == nullptr || !map.push(m)) return no_memory();
    return {};
  }
  Status preload(std::string_view value, std::uint64_t line) {
    char* name = MYLD_TRY(expand(value, line));
    bool ok = append(r.options.preload_configured, '\n', name);
    release_string(name);
    return ok ? Status{} : no_memory();
  }
  Status bind(std::string_view value, std::uint64_t line) {
    if (value != "now" && value != "lazy") return bad("'bind' takes now or lazy", line);
    if (value == "now") r.options.bind_now = true;
    return {};
  }
  /// The words of MYLD_BINDING, which comes first: who starts the program has the last word.
  Status binding(std::string_view value, std::uint64_t line) {
    char* policy = MYLD_TRY(expand(value, line));
    std::string_view is(policy);
    bool known = is == "off" || is == "use" || is == "auto" || is.starts_with('/') ||
                 is.starts_with("auto:/");
    if (!known)
      return bad("'binding' takes off, use, auto, a directory or auto:DIRECTORY, absolute", line);
    if (binding_is_asked_for) {
      release_string(policy);
    } else {
      release_string(configured_binding);
      r.options.binding = configured_binding = policy;
    }
    return {};
  }
  /// As `binding`, with MYLD_HUGE_TEXT.
  Status huge_text(std::string_view value, std::uint64_t line) {
    if (value != "yes" && value != "no") return bad("'huge-text' takes yes or no", line);
    if (!huge_text_is_asked_for) r.options.huge_text = value == "yes" ? "yes" : "no";
    return {};
  }
  Status tls_surplus(std::string_view value, std::uint64_t line) {
    constexpr std::uint64_t kMax = std::uint64_t{1} << 30;
    std::uint64_t bytes = 0;
    for (char c : value) {
      bool digit = c >= '0' && c <= '9';
      if (digit) bytes = bytes * 10 + static_cast<std::uint64_t>(c - '0');
      if (!digit || bytes > kMax)
        return bad("'tls-surplus' takes a number of bytes, at most 1 GiB", line);
    }
    r.options.tls_surplus = bytes;
    return {};
  }

  Status confine(std::string_view value, std::uint64_t line) {
    if (value != "yes" && value != "no") return bad("'confine' takes yes or no", line);
    r.loader.searcher.config.confined = value == "yes";
    return {};
  }
  Status add_environment(std::string_view name, std::string_view value, std::uint64_t line) {
    for (char c : name)
      if (c == '=') return bad("'env' takes a name and a value", line);
    if (value.empty()) return bad("'env' takes a name and a value", line);
    char* expanded = MYLD_TRY(expand(value, line));
    std::size_t n = strlen(expanded);
    auto* entry = static_cast<char*>(heap::allocate(name.size() + n + 2));
    if (entry == nullptr) return no_memory();
    memcpy(entry, name.data(), name.size());
    entry[name.size()] = '=';
    memcpy(entry + name.size() + 1, expanded, n + 1);
    release_string(expanded);
    for (char*& other : environment)
      if (strlen(other) > name.size() && memcmp(other, entry, name.size() + 1) == 0) {
        other = entry;
        return {};
      }
    if (environment.size() == sys::kRoomBelow / sizeof(char*))
      return bad("no room for so many lines with 'env'", line);
    return environment.push(entry) ? Status{} : no_memory();
  }

  Status read_line(std::string_view line, std::uint64_t number) {
    for (std::size_t i = 0; i < line.size(); ++i)
      if (line[i] == '#') line.remove_suffix(line.size() - i);
    std::string_view word = take_word(line);
    if (word.empty()) return {};
    std::string_view value = take_word(line), second = take_word(line);
    if (value.empty()) return bad("a word without a value", number);
    if (!take_word(line).empty() || (!second.empty() && word != "map" && word != "env"))
      return bad("more than one value", number);
    if (word == "search") return search(value, number);
    if (word == "map") return add_map(value, second, number);
    if (word == "preload") return preload(value, number);
    if (word == "bind") return bind(value, number);
    if (word == "binding") return binding(value, number);
    if (word == "huge-text") return huge_text(value, number);
    if (word == "tls-surplus") return tls_surplus(value, number);
    if (word == "confine") return confine(value, number);
    if (word == "env") return add_environment(value, second, number);
    return bad(
        "the words are search, map, confine, preload, bind, binding, huge-text, tls-surplus and "
        "env",
        number);
  }
};

/// Lists grow by copying: a file much larger than a person writes would take long.
constexpr std::size_t kMostBytes = 256 * 1024;

}  // namespace

Status parse_config(Runtime& r,
                    const char* file,
                    std::string_view directory,
                    std::string_view text,
                    Vec<char*>& environment) {
  void* memory = heap::allocate(sizeof(Vec<find::Mapped>));
  if (memory == nullptr) return Error{.code = Code::out_of_memory, .object = file};
  Reader reader{r, file, directory, environment, *new (memory) Vec<find::Mapped>};
  if (text.size() > kMostBytes) return reader.bad("more than 256 KiB", 0);
  for (std::uint64_t number = 1; !text.empty(); ++number) {
    std::size_t n = 0;
    // A note is padded with NUL bytes; no string that is kept may have one in it.
    while (n < text.size() && text[n] != '\n' && text[n] != 0) ++n;
    MYLD_CHECK(reader.read_line({text.data(), n}, number));
    text.remove_prefix(n < text.size() ? n + 1 : n);
  }
  r.loader.searcher.config.map = reader.map.span();
  return {};
}

}  // namespace myld::start
