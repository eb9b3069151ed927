#include "rtld/start/config_file.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/directory.hpp"

#include <new>

namespace myld::start {
namespace {

constexpr std::string_view kOrigin = "$ORIGIN";
constexpr std::string_view kSuffix = ".myld.conf";

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
  Vec<find::Mapped> map;       ///< lives as long as the process, in the searcher's hands

  Error bad(const char* what, std::uint64_t line) const {
    return {.code = Code::bad_config, .object = file, .subject = what, .value = line};
  }
  Error no_memory() const { return {.code = Code::out_of_memory, .object = file}; }

  /// A copy with each $ORIGIN replaced by the file's directory.
  char* expand(std::string_view text) const {
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
      if (!put(token ? directory : std::string_view(text.data(), 1))) return nullptr;
      text.remove_prefix(token ? kOrigin.size() : 1);
    }
    return copy_string(out, n);
  }

  Status search(std::string_view value, std::uint64_t line) {
    char* path = expand(value);
    if (path == nullptr) return no_memory();
    if (path[0] != '/' || find_char(path, ':') != nullptr || find_char(path, '$') != nullptr)
      return bad("'search' takes an absolute directory, or one that begins with $ORIGIN", line);
    bool ok = append(r.loader.searcher.config.directories, ':', path);
    release_string(path);
    return ok ? Status{} : no_memory();
  }
  Status add_map(std::string_view name, std::string_view value, std::uint64_t line) {
    if (value.empty()) return bad("'map' takes a name and a path", line);
    find::Mapped m{copy_string(name.data(), name.size()), expand(value)};
    if (m.name == nullptr || m.path == nullptr || !map.push(m)) return no_memory();
    return {};
  }
  Status preload(std::string_view value) {
    char* name = expand(value);
    bool ok = name != nullptr && append(r.options.preload_configured, '\n', name);
    release_string(name);
    return ok ? Status{} : no_memory();
  }
  Status bind(std::string_view value, std::uint64_t line) {
    if (value != "now" && value != "lazy") return bad("'bind' takes now or lazy", line);
    if (value == "now") r.options.bind_now = true;
    return {};
  }
  Status tls_surplus(std::string_view value, std::uint64_t line) {
    constexpr std::uint64_t kMax = std::uint64_t{1} << 30;
    std::uint64_t bytes = 0;
    for (char c : value) {
      if (c < '0' || c > '9' || bytes > kMax)
        return bad("'tls-surplus' takes a number of bytes, at most 1 GiB", line);
      bytes = bytes * 10 + static_cast<std::uint64_t>(c - '0');
    }
    r.options.tls_surplus = bytes;
    return {};
  }

  Status read_line(std::string_view line, std::uint64_t number) {
    for (std::size_t i = 0; i < line.size(); ++i)
      if (line[i] == '#') line.remove_suffix(line.size() - i);
    std::string_view word = take_word(line);
    if (word.empty()) return {};
    std::string_view value = take_word(line), second = take_word(line);
    if (value.empty()) return bad("a word without a value", number);
    if (!take_word(line).empty() || (!second.empty() && word != "map"))
      return bad("more than one value", number);
    if (word == "search") return search(value, number);
    if (word == "map") return add_map(value, second, number);
    if (word == "preload") return preload(value);
    if (word == "bind") return bind(value, number);
    if (word == "tls-surplus") return tls_surplus(value, number);
    return bad("the words are search, map, preload, bind and tls-surplus", number);
  }
};

/// "PROGRAM.myld.conf" in `to`, or nullptr where the program's file is not known.
const char* side_file(const Runtime& r, char (&to)[4096]) {
  std::size_t n = 0;
  if (r.direct) {
    n = strlen(r.program_file);
    if (n + kSuffix.size() >= sizeof to) return nullptr;
    memcpy(to, r.program_file, n);
  } else {
    long got = sys::readlink("/proc/self/exe", to, sizeof to);
    if (got <= 0 || static_cast<std::size_t>(got) + kSuffix.size() >= sizeof to) return nullptr;
    n = static_cast<std::size_t>(got);
  }
  memcpy(to + n, kSuffix.data(), kSuffix.size());
  to[n + kSuffix.size()] = 0;
  return to;
}

}  // namespace

Status read_config(Runtime& r) {
  if (r.secure) return {};
  char path[4096];
  const char* file = r.options.config != nullptr ? r.options.config : side_file(r, path);
  if (file == nullptr) return {};
  long fd = sys::open_for_reading(file);
  if (fd < 0) {
    if (r.options.config == nullptr && (fd == -sys::kEnoent || fd == -sys::kEnotdir)) return {};
    return Error{
        .code = Code::cannot_open, .sys_errno = static_cast<int>(-fd), .object = copy_string(file)};
  }
  sys::close(static_cast<int>(fd));
  sys::MappedFile mapped(file);
  // Kept for the life of the process: errors and the searcher point to it.
  file = copy_string(file);
  void* memory = heap::allocate(sizeof(Reader));
  if (file == nullptr || memory == nullptr) return Error{.code = Code::out_of_memory};
  std::size_t slash = strlen(file);
  while (slash != 0 && file[slash - 1] != '/') --slash;
  char here[4096];
  std::string_view directory(file, slash > 1 ? slash - 1 : slash);
  if (file[0] != '/') {
    long n = sys::getcwd(here, sizeof here);
    if (n <= 1 || static_cast<std::size_t>(n) + slash >= sizeof here)
      return Error{.code = Code::name_too_long, .object = file};
    std::size_t used = static_cast<std::size_t>(n) - 1;
    here[used++] = '/';
    memcpy(here + used, file, slash);
    directory = {here, slash == 0 ? used - 1 : used + slash - 1};
  }
  auto& reader = *new (memory) Reader{r, file, directory, {}};
  std::string_view text = mapped.text();
  for (std::uint64_t number = 1; !text.empty(); ++number) {
    std::size_t n = 0;
    while (n < text.size() && text[n] != '\n') ++n;
    MYLD_CHECK(reader.read_line({text.data(), n}, number));
    text.remove_prefix(n < text.size() ? n + 1 : n);
  }
  r.loader.searcher.config.map = reader.map.span();
  return {};
}

}  // namespace myld::start
