#include "rtld/start/config_file.hpp"

#include "loader/base/mem.hpp"
#include "loader/stub/note.hpp"
#include "loader/sys/mapped_file.hpp"
#include "rtld/start/config_text.hpp"
#include "rtld/start/modules.hpp"
#include "rtld/start/stack.hpp"

namespace myld::start {
namespace {

constexpr std::string_view kSuffix = ".myld.conf";

/// The path of the program's file, as a heap string; nullptr where that is not known.
[[gnu::noinline]] char* program_path(const Runtime& r) {
  if (r.direct) return copy_string(r.program_file);
  char path[4096];
  long n = sys::readlink("/proc/self/exe", path, sizeof path);
  if (n > 0 && n != sizeof path) return copy_string(path, static_cast<std::size_t>(n));
  return executed_file(r);
}

/// True where it is certain, at little cost, that there is no file beside the program: asking /proc
/// for the program's path is the dearest system call of a small start. The path that execve(2) was
/// given does as well where it is not that of a script, which is among the arguments then, and no
/// symbolic link: it names a file in the directory of the program's.
bool has_no_side_file(const Runtime& r) {
  const auto* path = reinterpret_cast<const char*>(r.stack.get(sys::kAtExecfn));
  if (r.direct || path == nullptr) return false;
  for (int i = 1; i < r.argc; ++i)
    if (equal(r.argv[i], path)) return false;
  char side[256];
  std::size_t n = strlen(path);
  if (n + kSuffix.size() >= sizeof side) return false;
  sys::Stat stat;
  if (sys::link_stat(path, &stat) < 0 || !sys::is_regular(stat)) return false;
  memcpy(side, path, n);
  memcpy(side + n, kSuffix.data(), kSuffix.size());
  side[n + kSuffix.size()] = 0;
  return sys::link_stat(side, &stat) == -sys::kEnoent;
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
    auto note = elf::find_note(r.program->image, stub::kOwner, stub::kConfigNote);
    if (note.empty() && has_no_side_file(r)) return Source{};
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

/// Not inlined: a program without a configuration does not pay for the buffer with a page of stack.
[[gnu::noinline]] Status read_source(Runtime& r, const Source& source) {
  char here[4096];
  std::string_view directory = directory_of(source.file, here);
  if (directory.empty()) return Error{.code = Code::name_too_long, .object = source.file};
  Vec<char*> environment;
  if (source.is_note) {
    auto note = elf::find_note(r.program->image, stub::kOwner, stub::kConfigNote);
    MYLD_CHECK(parse_config(r, source.name, directory,
                            {reinterpret_cast<const char*>(note.data()), note.size()},
                            environment));
  } else {
    sys::MappedFile mapped(source.file);
    MYLD_CHECK(parse_config(r, source.name, directory, mapped.text(), environment));
  }
  set_environment(r, environment.span());
  return {};
}

}  // namespace

Status read_config(Runtime& r) {
  if (r.secure) return {};
  Source source = MYLD_TRY(find_source(r));
  return source.name == nullptr ? Status{} : read_source(r, source);
}

}  // namespace myld::start
