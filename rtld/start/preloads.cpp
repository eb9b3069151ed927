#include "rtld/start/preloads.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/calls.hpp"

namespace myld::start {
namespace {

using load::Module;

/// Splits a list of names at any of `separators` and calls visit(name) for each.
template <class Visit>
void each_name(const char* list, const char* separators, Visit visit) {
  for (const char* p = list; *p != 0;) {
    const char* end = p;
    while (*end != 0 && find_char(separators, *end) == nullptr) ++end;
    if (end != p) {
      if (char* name = copy_string(p, static_cast<std::size_t>(end - p))) {
        visit(name);
        release_string(name);
      }
    }
    p = *end == 0 ? end : end + 1;
  }
}

/// Loads modules in front of the program's own libraries.
struct Preloader {
  Runtime& runtime;
  Vec<Module*>& created;
  const load::ErrorSink& sink;
  std::size_t inserted = 0;

  Result<Module*> open(const char* name);
  void add(const char* name, const char* source);
  void add_list(const char* list, const char* separators, const char* source);
  void add_file();
  Status read_file(int fd, const char* name_of_file);
  void tell(const Error& error, const char* name, const char* source);
};

/// The tokens in a name mean the program's $ORIGIN and so on.
Result<Module*> Preloader::open(const char* name) {
  Module& program = *runtime.program;
  if (find_char(name, '$') == nullptr)
    return runtime.loader.open(runtime.first, name, &program, false, created);
  find::Searcher& searcher = runtime.loader.searcher;
  char* expanded = searcher.expand(name, strlen(name), &program.requester);
  if (expanded == nullptr) return Error{.code = Code::empty_expansion, .subject = name};
  auto opened = runtime.loader.open(runtime.first, expanded, &program, false, created);
  Error e = opened ? Error{} : searcher.kept.keep(opened.error());
  release_string(expanded);
  if (e) return e;
  return opened;
}

/// The start goes on without what `name` stands for.
void Preloader::tell(const Error& error, const char* name, const char* source) {
  char reason[256];
  render_reason(error, reason, sizeof reason);
  sink.report(sink.context,
              {.code = Code::preload_ignored, .object = reason, .subject = name, .detail = source});
}

void Preloader::add(const char* name, const char* source) {
  Module& program = *runtime.program;
  auto opened = open(name);
  if (!opened) return tell(opened.error(), name, source);
  Module* m = opened.value();
  if (m == &program || program.needed.contains(m)) return;
  // Preloaded modules come right after the program in every search.
  if (!program.needed.push(m)) return;
  for (std::size_t i = program.needed.size() - 1; i > inserted; --i)
    program.needed[i] = program.needed[i - 1];
  program.needed[inserted++] = m;
  ++m->users;
}

/// In secure execution a name with a slash, or a very long one, is passed over without a word: an
/// attacker chose it.
void Preloader::add_list(const char* list, const char* separators, const char* source) {
  constexpr std::size_t kNameMax = 255;
  if (list == nullptr) return;
  each_name(list, separators, [&](const char* name) {
    if (runtime.secure && (find_char(name, '/') != nullptr || strlen(name) >= kNameMax)) return;
    add(name, source);
  });
}

void Preloader::add_file() {
  constexpr const char* kFile = "/etc/ld.so.preload";
  long fd = sys::open_for_reading(kFile);
  if (fd < 0) return;
  if (Status read = read_file(static_cast<int>(fd), kFile); !read) tell(read.error(), kFile, kFile);
  sys::close(static_cast<int>(fd));
}

/// Adds all that an open file lists: names between spaces, tabs, colons and ends of lines. '#'
/// starts a comment up to the end of the line, a NUL ends the list.
Status Preloader::read_file(int fd, const char* name_of_file) {
  sys::Stat st;
  if (long e = sys::fstat(fd, &st); e < 0)
    return Error{
        .code = Code::cannot_stat, .sys_errno = static_cast<int>(-e), .object = name_of_file};
  auto bytes = static_cast<std::size_t>(st.st_size);
  Vec<char> text;
  if (!text.reserve(bytes + 1)) return no_memory(name_of_file);
  long n = sys::pread_full(fd, text.begin(), bytes, 0);
  if (n < 0)
    return Error{
        .code = Code::cannot_read, .sys_errno = static_cast<int>(-n), .object = name_of_file};
  text.begin()[n] = 0;
  for (char* p = text.begin(); *p != 0; ++p)
    if (*p == '#')
      for (; *p != 0 && *p != '\n'; ++p) *p = ' ';
  // The administrator's list, unlike the user's, may hold paths in secure execution too.
  each_name(text.begin(), " :\t\n", [&](const char* name) { add(name, name_of_file); });
  return {};
}

}  // namespace

void add_preloads(Runtime& runtime, Vec<Module*>& created, const load::ErrorSink& sink) {
  Preloader preloader{runtime, created, sink};
  find::Config& config = runtime.loader.searcher.config;
  config.only_set_user_id = runtime.secure;
  preloader.add_list(runtime.options.preload, " :", "LD_PRELOAD");
  preloader.add_list(runtime.options.preload_configured, "\n", "the configuration");
  preloader.add_list(runtime.options.preload_option, " :", "--preload");
  if (!config.confined) preloader.add_file();
  config.only_set_user_id = false;
}

}  // namespace myld::start
