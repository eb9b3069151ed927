#include "rtld/start/config_file.hpp"

#include "loader/base/mem.hpp"
#include "loader/stub/note.hpp"
#include "loader/sys/directory.hpp"
#include "rtld/start/modules.hpp"

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
  Vec<char*> environment;      ///< "NAME=value"

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

  Status confine(std::string_view value, std::uint64_t line) {
    if (value != "yes" && value != "no") return bad("'confine' takes yes or no", line);
    r.loader.searcher.config.confined = value == "yes";
    return {};
  }
  Status add_environment(std::string_view name, std::string_view value, std::uint64_t line) {
    for (char c : name)
      if (c == '=') return bad("'env' takes a name and a value", line);
    if (value.empty()) return bad("'env' takes a name and a value", line);
    char* expanded = expand(value);
    std::size_t n = expanded == nullptr ? 0 : strlen(expanded);
    auto* entry = static_cast<char*>(heap::allocate(name.size() + n + 2));
    if (expanded == nullptr || entry == nullptr) return no_memory();
    memcpy(entry, name.data(), name.size());
    entry[name.size()] = '=';
    memcpy(entry + name.size() + 1, expanded, n + 1);
    release_string(expanded);
    for (char*& other : environment)
      if (memcmp(other, entry, name.size() + 1) == 0) {
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
    if (word == "preload") return preload(value);
    if (word == "bind") return bind(value, number);
    if (word == "tls-surplus") return tls_surplus(value, number);
    if (word == "confine") return confine(value, number);
    if (word == "env") return add_environment(value, second, number);
    return bad("the words are search, map, confine, preload, bind, tls-surplus and env", number);
  }
};

/// The path of the program's file, as a heap string; nullptr where that is not known.
char* program_path(const Runtime& r) {
  if (r.direct) return copy_string(r.program_file);
  char path[4096];
  long n = sys::readlink("/proc/self/exe", path, sizeof path);
  if (n > 0 && n != sizeof path) return copy_string(path, static_cast<std::size_t>(n));
  return executed_file(r);
}

/// A configuration, and where it is from. The text is read while it is there, the names are kept
/// for the life of the process: errors and the searcher point to them.
struct Source {
  const char* name = nullptr;  ///< nullptr: there is none
  const char* file = nullptr;  ///< whose directory $ORIGIN is
  bool is_note = false;
};

Result<Source> find_source(const Runtime& r) {
  auto cannot = [](const char* file, long error) {
    return Error{.code = Code::cannot_open, .sys_errno = static_cast<int>(-error), .object = file};
  };
  Error no_memory{.code = Code::out_of_memory};
  const char* file = r.options.config;
  char* program = nullptr;
  if (file == nullptr) {
    program = program_path(r);
    if (program == nullptr) return Source{};
    Vec<char> side;
    std::size_t n = strlen(program);
    if (!side.reserve(n + kSuffix.size() + 1)) return no_memory;
    for (std::size_t i = 0; i < n; ++i) side.push_reserved(program[i]);
    for (char c : kSuffix) side.push_reserved(c);
    file = copy_string(side.begin(), side.size());
  } else {
    file = copy_string(file);
  }
  if (file == nullptr) return no_memory;
  long fd = sys::open_for_reading(file);
  if (fd >= 0) {
    sys::close(static_cast<int>(fd));
    return Source{file, file, false};
  }
  if (program == nullptr || (fd != -sys::kEnoent && fd != -sys::kEnotdir)) return cannot(file, fd);
  if (elf::find_note(r.program->image, stub::kOwner, stub::kConfigNote).empty()) return Source{};
  return Source{program, program, true};
}

/// The directory part of `file`, absolute, in `here` where need be.
std::string_view directory_of(const char* file, char (&here)[4096]) {
  std::size_t slash = strlen(file);
  while (slash != 0 && file[slash - 1] != '/') --slash;
  if (file[0] == '/') return {file, slash > 1 ? slash - 1 : slash};
  long n = sys::getcwd(here, sizeof here);
  if (n <= 1 || static_cast<std::size_t>(n) + slash >= sizeof here) return {};
  std::size_t used = static_cast<std::size_t>(n) - 1;
  here[used++] = '/';
  memcpy(here + used, file, slash);
  return {here, slash == 0 ? used - 1 : used + slash - 1};
}

Status read_text(Reader& reader, std::string_view text) {
  for (std::uint64_t number = 1; !text.empty(); ++number) {
    std::size_t n = 0;
    while (n < text.size() && text[n] != '\n' && text[n] != 0) ++n;
    MYLD_CHECK(reader.read_line({text.data(), n}, number));
    text.remove_prefix(n < text.size() ? n + 1 : n);
  }
  return {};
}

}  // namespace

Status read_config(Runtime& r) {
  if (r.secure) return {};
  Source source = MYLD_TRY(find_source(r));
  if (source.name == nullptr) return {};
  char here[4096];
  std::string_view directory = directory_of(source.file, here);
  if (directory.empty()) return Error{.code = Code::name_too_long, .object = source.file};
  void* memory = heap::allocate(sizeof(Reader));
  if (memory == nullptr) return Error{.code = Code::out_of_memory};
  auto& reader = *new (memory) Reader{r, source.name, directory, {}, {}};
  if (source.is_note) {
    auto note = elf::find_note(r.program->image, stub::kOwner, stub::kConfigNote);
    MYLD_CHECK(read_text(reader, {reinterpret_cast<const char*>(note.data()), note.size()}));
  } else {
    sys::MappedFile mapped(source.file);
    MYLD_CHECK(read_text(reader, mapped.text()));
  }
  r.loader.searcher.config.map = reader.map.span();
  set_environment(r, reader.environment.span());
  return {};
}

}  // namespace myld::start
