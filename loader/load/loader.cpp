#include "loader/load/loader.hpp"

#include "arch/port.hpp"
#include "loader/base/mem.hpp"
#include "loader/find/timeline.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/log.hpp"

#include <new>

namespace myld::load {
namespace {

Error no_memory(const char* object) { return {.code = Code::out_of_memory, .object = object}; }

std::uint64_t hash_of(const FileId& id) { return hash_bytes(&id, sizeof id); }

FileContent content_of(const sys::Stat& s) {
  return {s.st_size, s.st_mtime_s, static_cast<std::int64_t>(s.st_mtime_ns)};
}

void destroy(Module* m) {
  release_list(m->group.list);
  release_list(m->own.list);
  if (m->scopes != nullptr)
    heap::release(m->scopes, sizeof(ScopeChain) + m->scopes->count * sizeof(Scope*));
  for (const char* name : m->names) release_string(name);
  for (void* d : m->descriptors) heap::release(d, kDescriptorBytes);
  if (m->kept_fd >= 0) sys::close(m->kept_fd);
  if (m->owns_mapping) {
    if (m->mapping.bytes != 0) map::unmap(m->mapping);
    auto phdrs = m->image.segments.phdrs;
    heap::release(const_cast<elf::Phdr*>(phdrs.data()), phdrs.size_bytes());
  }
  if (m->path[0] != 0) release_string(m->path);
  release_string(m->requested);
  release_string(m->requester.origin);
  m->~Module();
  heap::release(m, sizeof(Module));
}

void log_request(const Namespace& ns, const char* name, const Module* by, bool at_run_time) {
  log::line("");
  log::Line line;
  line << "file=" << log::In{name, ns.id};
  if (by != nullptr)
    line << (at_run_time ? ";  dynamically loaded by " : ";  needed by ")
         << log::In{by->display, by->ns->id};
}

void log_mapped(const Module& m, const char* name) {
  constexpr unsigned kDigits = 2 * sizeof(void*), kPhnumWidth = 18;
  auto address = [](std::uintptr_t a) { return sys::Hex{a, kDigits}; };
  const elf::Segments& s = m.image.segments;
  log::line("file=", log::In{name, m.ns->id}, ";  generating link map");
  log::line("  dynamic: ", address(reinterpret_cast<std::uintptr_t>(m.image.dynamic)),
            "  base: ", address(m.mapping.bias.value), "   size: ", address(m.mapping.bytes));
  log::line("    entry: ", address((m.mapping.bias + m.entry).value),
            "  phdr: ", address(reinterpret_cast<std::uintptr_t>(s.phdrs.data())),
            "  phnum: ", sys::Decimal{s.phdrs.size(), kPhnumWidth});
  log::line("");
}

/// What Requester::resolution_note is.
std::span<const char> resolution_note(const elf::Image& image) {
  constexpr std::uint32_t kType = 0x63a86cb6;
  std::span<const std::uint8_t> note = elf::find_note(image, "NixOS", kType);
  return {reinterpret_cast<const char*>(note.data()), note.size()};
}

/// The directory part of `path`, absolute: a heap string or nullptr. The buffer is on the heap,
/// since callers may have a stack of 16 KiB (PTHREAD_STACK_MIN), less their TLS.
char* directory_of(const char* path) {
  std::size_t n = strlen(path);
  while (n != 0 && path[n - 1] != '/') --n;
  if (n != 0 && path[0] == '/') {
    while (n > 1 && path[n - 1] == '/') --n;
    return copy_string(path, n);
  }
  constexpr std::size_t kMost = 4096;
  Vec<char> buffer;
  if (!buffer.reserve(kMost)) return nullptr;
  char* here = buffer.data();
  long got = sys::getcwd(here, kMost);
  if (got <= 1 || here[0] != '/') return nullptr;
  std::size_t length = static_cast<std::size_t>(got) - 1;
  while (n != 0 && path[n - 1] == '/') --n;
  if (length + 1 + n >= kMost) return nullptr;
  if (n != 0) {
    if (length > 1) here[length++] = '/';
    memcpy(here + length, path, n);
    length += n;
  }
  return copy_string(here, length);
}

}  // namespace

void set_path(Module& m, const char* path, const char* display) {
  m.path = path;
  m.display = display;
  m.requester.path = display;
  if (*path == '/')
    m.requester.find_origin = [](const find::Requester& r) {
      return directory_of(static_cast<const Module*>(r.owner)->path);
    };
  else if (find_char(path, '/') != nullptr)  // the working directory may be another one later
    m.requester.origin = directory_of(path);
}

ModuleList* make_list(std::span<Module* const> modules) {
  auto* list = static_cast<ModuleList*>(
      heap::allocate(sizeof(ModuleList) + modules.size() * sizeof(Module*)));
  if (list == nullptr) return nullptr;
  list->count = static_cast<std::uint32_t>(modules.size());
  constexpr std::uint64_t kTimes = 32;  // as a whole: before that no table can pay
  list->next_look = kTimes * modules.size();
  for (std::size_t i = 0; i < modules.size(); ++i) list->modules[i] = modules[i];
  return list;
}

void release_list(ModuleList* list) {
  if (list == nullptr) return;
  if (list->owns_names) heap::release(list->names, *static_cast<std::size_t*>(list->names));
  heap::release(list, sizeof(ModuleList) + list->count * sizeof(Module*));
}

std::uint32_t next_mark() {
  static constinit std::uint32_t last = 0;
  return ++last;
}

namespace {

/// Appends `m`, after those that it is a filter for: their symbols come before its own. `path` is
/// working memory. No recursion: filters may be chained as deep as a file likes.
bool append(Module* m, std::uint32_t mark, Vec<Module*>& path, Vec<Module*>& out) {
  if (m->mark == mark) return true;
  m->mark = mark;
  if (m->filtees.empty()) return out.push(m);
  m->counter = 0;  // how many of its filtees have been looked at
  if (!path.push(m)) return false;
  while (!path.empty()) {
    Module* top = path.back();
    if (top->counter == top->filtees.size()) {
      path.pop();
      if (!out.push(top)) return false;
      continue;
    }
    Module* filtee = top->filtees[top->counter++];
    if (filtee->mark == mark) continue;
    filtee->mark = mark;
    filtee->counter = 0;
    if (!path.push(filtee)) return false;
  }
  return true;
}

}  // namespace

bool breadth_first(Module& module, Vec<Module*>& out) {
  std::uint32_t mark = next_mark();
  Vec<Module*> path;
  std::size_t next = out.size();
  if (!append(&module, mark, path, out)) return false;
  for (; next < out.size(); ++next) {
    Module* m = out[next];  // by value: `needed` may move when `out` grows
    for (std::size_t i = 0; i < m->needed.size(); ++i)
      if (!append(m->needed[i], mark, path, out)) return false;
  }
  return true;
}

void interposers_first(std::span<Module*> list) {
  std::size_t front = 1;
  for (std::size_t i = 1; i < list.size(); ++i) {
    if (!list[i]->image.has_flag_1(DF_1_INTERPOSE)) continue;
    Module* m = list[i];
    for (std::size_t k = i; k > front; --k) list[k] = list[k - 1];
    list[front++] = m;
  }
}

namespace {

/// Does the path mean the same file as long as nobody changes what is on disk? Not one that depends
/// on the working directory, nor what stands for the descriptors and places of whoever asks (/proc,
/// and /dev/fd and its like, which lead there).
bool is_lasting(const char* path) {
  auto begins_with = [&](const char* directory) {
    std::size_t i = 0;
    while (directory[i] != 0 && path[i] == directory[i]) ++i;
    return directory[i] == 0;
  };
  return path[0] == '/' && !begins_with("/proc/") && !begins_with("/dev/");
}

}  // namespace

Module* Loader::find_loaded(Namespace& ns, const char* name) {
  return ns.by_name.find(hash_string(name), [&](const Module& m) {
    if (m.path_is_name && equal(m.path, name)) return true;
    for (const char* each : m.names)
      if (equal(each, name)) return true;
    return false;
  });
}

bool Loader::add_name(Module& m, const char* name) {
  if (m.path_is_name && equal(m.path, name)) return true;
  auto has_it = [&] {
    for (const char* each : m.names)
      if (equal(each, name)) return true;
    return false;
  };
  // One file may be needed by tens of thousands of names: those of the same hash are looked at.
  std::uint64_t hash = hash_string(name);
  constexpr std::size_t kFew = 8;
  if (m.names.size() <= kFew ? has_it() : m.ns->by_name.find(hash, [&](const Module& each) {
        return &each == &m && has_it();
      }) != nullptr)
    return true;
  char* copy = copy_string(name);
  if (copy == nullptr) return false;
  if (!m.names.push(copy)) {
    release_string(copy);
    return false;
  }
  if (m.ns->by_name.insert(hash, &m)) return true;
  m.names.pop();
  release_string(copy);
  return false;
}

Result<Module*> Loader::new_module(Namespace& ns, const char* display) {
  void* memory = heap::allocate(sizeof(Module));
  if (memory == nullptr) return no_memory(display);
  auto* m = new (memory) Module;
  m->ns = &ns;
  m->requester.owner = m;
  return m;
}

namespace {

/// Puts the PT_LOADs of a block on the heap in front of the other headers, all in their order.
/// False: no memory.
bool gather_loads(std::span<const elf::Phdr>& headers) {
  auto* gathered = static_cast<elf::Phdr*>(heap::allocate(headers.size_bytes()));
  if (gathered == nullptr) return false;
  std::size_t n = 0;
  for (bool loads : {true, false})
    for (const elf::Phdr& p : headers)
      if ((p.p_type == PT_LOAD) == loads) gathered[n++] = p;
  heap::release(const_cast<elf::Phdr*>(headers.data()), headers.size_bytes());
  headers = {gathered, n};
  return true;
}

}  // namespace

Result<elf::Ehdr> Loader::read_headers(find::Found& found, Module& m) {
  auto size = static_cast<std::uint64_t>(found.stat.st_size);
  elf::Ehdr e = MYLD_TRY(elf::check_header({found.head, found.head_bytes}, size, found.path,
                                           searcher.config.machine->e_machine));
  std::size_t bytes = e.e_phnum * sizeof(elf::Phdr);
  auto* phdrs = static_cast<elf::Phdr*>(heap::allocate(bytes));
  if (phdrs == nullptr) return no_memory(found.path);
  m.image.segments.phdrs = {phdrs, e.e_phnum};
  if (e.e_phoff + bytes <= found.head_bytes) {
    memcpy(phdrs, found.head + e.e_phoff, bytes);
  } else {
    long got = sys::pread_full(found.fd, phdrs, bytes, e.e_phoff);
    if (got < 0)
      return Error{
          .code = Code::cannot_read, .sys_errno = static_cast<int>(-got), .object = found.path};
    if (static_cast<std::size_t>(got) != bytes)
      return Error{.code = Code::file_too_short,
                   .object = found.path,
                   .subject = "program headers",
                   .at = e.e_phoff,
                   .value = static_cast<std::uint64_t>(got)};
  }
  auto check = [&]() -> Status {
    m.image.segments = MYLD_TRY(
        elf::check_segments(m.image.segments.phdrs, size, page_size, policy.segments, found.path));
    return {};
  };
  MYLD_CHECK(check());
  if (m.image.segments.scattered()) {
    if (!gather_loads(m.image.segments.phdrs)) return no_memory(found.path);
    MYLD_CHECK(check());
  }
  return e;
}

namespace {

const elf::Phdr* headers_in_memory(const Module& m, std::uint64_t e_phoff) {
  const elf::Segments& s = m.image.segments;
  const elf::Phdr* p = s.find_mapped(e_phoff, s.phdrs.size_bytes());
  if (p == nullptr) return s.phdrs.data();
  return (m.mapping.bias + LinkAddr{p->p_vaddr + (e_phoff - p->p_offset)}).as<const elf::Phdr>();
}

}  // namespace

/// The part that is the same for files and for images that were already mapped.
Status Loader::finish(Module& m, Vec<Module*>& created) {
  m.image = MYLD_TRY(elf::read_image(m.mapping.bias, m.image.segments, m.display));
  MYLD_CHECK(elf::read_versions(m.image, m.display, m.versions));
  m.requester.runpath = m.image.runpath;
  m.requester.rpath = m.image.runpath != nullptr ? nullptr : m.image.rpath;
  m.requester.resolution_note = resolution_note(m.image);
  m.requester.no_default_directories = m.image.has_flag_1(DF_1_NODEFLIB);
  m.permanent = m.image.has_flag_1(DF_1_NODELETE);
  if (m.permanent) m.permanent_because = "DF_1_NODELETE";
  constexpr arch::BranchTargets kBranches = arch::Port::kBranchTargets;
  m.branch_targets = policy.branch_targets &&
                     (elf::program_property(m.image, kBranches.property) & kBranches.bit) != 0;
  if (m.branch_targets && !as_data)
    map::check_branch_targets(m.mapping, m.image.segments, page_size);
  if (m.image.soname != nullptr && !add_name(m, m.image.soname)) return no_memory(m.display);
  m.index = static_cast<std::uint32_t>(m.ns->modules.size());
  if (!created.reserve(created.size() + 1) || !m.ns->modules.push(&m)) return no_memory(m.display);
  created.push_reserved(&m);
  ++adds;
  return {};
}

Result<Module*> Loader::add_file(Namespace& ns,
                                 find::Found& found,
                                 const char* name,
                                 Module* requester,
                                 Vec<Module*>& created,
                                 const map::Room& room) {
  auto fail = [&](Module* m, Error e) -> Result<Module*> {
    sys::close(found.fd);
    // The error's strings may be the module's.
    Error kept = searcher.kept.keep(e);
    if (m != nullptr) {
      forget(*m);
      m->path = "";
      destroy(m);
    }
    release_string(found.path);
    return kept;
  };
  auto made = new_module(ns, found.path);
  if (!made) return fail(nullptr, made.error());
  Module* m = made.value();
  m->file = {found.stat.st_dev, found.stat.st_ino};
  m->content = content_of(found.stat);
  m->requester.ns = ns.id;
  m->found_by = found.by;
  m->found_of = found.of;
  m->first_needed_by = requester;
  m->requester.loader = requester == nullptr ? nullptr : &requester->requester;
  auto header = read_headers(found, *m);
  if (!header) return fail(m, header.error());
  bool fixed_address = header.value().e_type == ET_EXEC && !as_data;
  m->entry = {header.value().e_entry};
  // Only the program lies where it was linked to lie; nothing needs it by name.
  if (fixed_address && requester != nullptr)
    return fail(m, {.code = Code::cannot_dlopen_executable, .object = found.path});
  if (m->image.segments.dynamic == nullptr)
    return fail(m, {.code = Code::no_dynamic, .object = found.path});
  if (before_reading != nullptr) before_reading(*m);
  timeline::Span span("map", found.path);
  if (found.placed != nullptr && !fixed_address)
    m->in_image = map::map_placed(found.fd, m->image.segments, *found.placed, page_size, found.path,
                                  m->mapping)
                      .ok();
  if (Status s = m->in_image ? Status{}
                             : map::map_segments(found.fd, m->image.segments, fixed_address,
                                                 page_size, found.path, room, m->mapping, as_data);
      !s)
    return fail(m, s.error());
  if (!as_data) map::prepare_dynamic(m->mapping, m->image.segments);
  m->headers = headers_in_memory(*m, header.value().e_phoff);
  set_path(*m, found.path, found.path);
  char* requested = copy_string(name);
  if (requested == nullptr) return fail(m, no_memory(found.path));
  m->requested = requested;
  m->path_is_name = found.stat.st_nlink != 0 && is_lasting(m->path);
  PointerTable<Module>& by_path = m->path_is_name ? ns.by_name : ns.by_path;
  if (!ns.by_file.insert(hash_of(m->file), m) || !by_path.insert(hash_string(m->path), m))
    return fail(m, no_memory(found.path));
  if (Status s = finish(*m, created); !s) return fail(m, s.error());
  if (log::wants(log::kFiles)) log_mapped(*m, name);
  sys::close(found.fd);
  return m;
}

Result<Module*> Loader::add_mapped(Namespace& ns,
                                   const elf::Segments& segments,
                                   LoadBias bias,
                                   const char* path,
                                   const char* display,
                                   Vec<Module*>& created) {
  Module* m = MYLD_TRY(new_module(ns, display));
  m->owns_mapping = false;
  m->image.segments = segments;
  m->headers = segments.phdrs.data();
  m->mapping = {bias + segments.start, segments.end.value - segments.start.value, bias};
  set_path(*m, path, display);
  if (before_reading != nullptr) before_reading(*m);
  MYLD_CHECK(finish(*m, created));
  return m;
}

Module* Loader::find_file(Namespace& ns, const find::Found& found) {
  FileId id{found.stat.st_dev, found.stat.st_ino};
  auto same_file = [&](const Module& m) { return m.file == id; };
  Module* m = ns.by_file.find(hash_of(id), same_file);
  return m == nullptr && self != nullptr && self->file == id ? self : m;
}

/// The module whose file was opened by just this path, if it is that file still: one system call,
/// where searching takes four. nullptr where there is none, or where somebody wants to be told. For
/// paths that mean another file at another time: those that do not are names (find_loaded).
Module* Loader::find_path(Namespace& ns, const char* path) {
  if (searcher.redirector.path != nullptr || searcher.listener.attempt != nullptr ||
      searcher.memory.note != nullptr || log::wants(log::kFiles | log::kLibs))
    return nullptr;
  if (find_char(path, '/') == nullptr) return nullptr;
  Module* m = ns.by_path.find(hash_string(path),
                              [&](const Module& each) { return equal(each.path, path); });
  sys::Stat now;
  if (m == nullptr || sys::stat(path, &now) < 0) return nullptr;
  return m->file == FileId{now.st_dev, now.st_ino} ? m : nullptr;
}

Result<Module*> Loader::open_source(Namespace& ns,
                                    FileSource& source,
                                    Module* requester,
                                    bool only_if_loaded,
                                    Vec<Module*>& created) {
  find::Found found;
  int fd = source.fd;
  source.fd = -1;
  MYLD_CHECK(searcher.look_at(fd, source.path, found, searcher.config.machine->e_machine));
  Module* m = find_file(ns, found);
  if (m != nullptr || only_if_loaded) {
    sys::close(found.fd);
    release_string(found.path);
    return m;
  }
  // add_file closes the descriptor that it is given; the one that is kept has the path's number.
  if (source.keep) {
    long second = sys::duplicate(fd);
    if (second < 0) {
      sys::close(fd);
      release_string(found.path);
      return Error{
          .code = Code::cannot_open, .sys_errno = static_cast<int>(-second), .object = source.path};
    }
    found.fd = static_cast<int>(second);
  }
  auto made = add_file(ns, found, source.path, requester, created, source.room);
  if (made) made.value()->kept_fd = source.keep ? fd : -1;
  if (!made && source.keep) sys::close(fd);
  return made;
}

namespace {

/// Is a name that a module was asked for by one of its names, so that no file is looked at for it
/// again while the module is there? Two requests "./a.so" are told apart by their files.
bool means_it_from_now_on(const char* name) {
  return is_lasting(name) || find_char(name, '/') == nullptr;
}

}  // namespace

Result<Module*> Loader::open(Namespace& ns,
                             const char* name,
                             Module* requester,
                             bool only_if_loaded,
                             Vec<Module*>& created,
                             const map::Room& room) {
  if (Module* m = find_loaded(ns, name)) return m;
  if (Module* m = find_path(ns, name)) return m;
  // Every namespace shares the one loader, whatever name libc asks for it by.
  if (self != nullptr && equal(name, searcher.config.machine->loader_soname)) return self;
  if (log::wants(log::kFiles)) log_request(ns, name, requester, at_run_time && created.empty());
  find::Found found;
  if (Status s = searcher.find(name, requester == nullptr ? nullptr : &requester->requester, found);
      !s)
    return s.error();
  Module* m = find_file(ns, found);
  if (m != nullptr || only_if_loaded) {
    sys::close(found.fd);
    release_string(found.path);
    if (m == nullptr) return static_cast<Module*>(nullptr);
    if (m != self && means_it_from_now_on(name) && !add_name(*m, name)) return no_memory(name);
    return m;
  }
  m = MYLD_TRY(add_file(ns, found, name, requester, created, room));
  if (listener.mapped != nullptr && !listener.mapped(listener.context, *m)) return no_memory(name);
  if (means_it_from_now_on(name) && !add_name(*m, name)) return no_memory(name);
  return m;
}

Status Loader::load_needed(Module& m, Vec<Module*>& created, const ErrorSink& sink) {
  // Marks those that are in `needed` already; m itself is not to be.
  std::uint32_t mark = next_mark();
  for (Module* each : m.needed) each->mark = mark;
  for (std::uint32_t i = 0; i < m.image.dynamic_count; ++i) {
    const elf::Dyn& d = m.image.dynamic[i];
    bool filter = d.d_tag == DT_AUXILIARY || d.d_tag == DT_FILTER;
    if (d.d_tag != DT_NEEDED && !filter) continue;
    const char* name = m.image.strings.at(d.d_un.d_val);
    char* expanded = nullptr;
    if (find_char(name, '$') != nullptr) {
      expanded = searcher.expand(name, strlen(name), &m.requester);
      if (expanded == nullptr) {
        if (d.d_tag == DT_AUXILIARY) continue;
        Error e{.code = Code::empty_expansion, .object = m.display, .subject = name};
        if (!sink.report(sink.context, e)) return e;
        continue;
      }
    }
    auto opened = open(*m.ns, expanded != nullptr ? expanded : name, &m, false, created);
    Error e = opened ? Error{} : searcher.kept.keep(opened.error());
    release_string(expanded);
    if (opened) {
      Module* needed = opened.value();
      if (needed == &m) continue;
      if (filter && !m.filtees.contains(needed) && !m.filtees.push(needed))
        return no_memory(m.display);
      if (needed->mark != mark) {
        if (!m.needed.push(needed)) return no_memory(m.display);
        needed->mark = mark;
        ++needed->users;
      }
      continue;
    }
    // an auxiliary filtee may be missing
    if (d.d_tag == DT_AUXILIARY && find::search_goes_on(e)) continue;
    if (e.detail == nullptr) e.detail = m.display;
    if (!sink.report(sink.context, e)) return e;
  }
  return {};
}

Status
Loader::load_closure(std::span<Module* const> roots, Vec<Module*>& created, const ErrorSink& sink) {
  // Modules that were there before have their dependencies; new ones, roots among them, are in
  // `created`, which grows as they are found: that is the breadth-first order.
  static_cast<void>(roots);
  for (std::size_t i = 0; i < created.size(); ++i)
    MYLD_CHECK(load_needed(*created[i], created, sink));
  return {};
}

Status Loader::check_versions(std::span<Module* const> modules, const ErrorSink& sink) {
  for (Module* m : modules) {
    // A file's name is the same place for all of its versions: it is looked for once.
    const char* file = nullptr;
    Module* provider = nullptr;
    for (const elf::Version& v : m->versions) {
      if (v.file == nullptr) continue;
      if (v.file != file) {
        file = v.file;
        provider = find_loaded(*m->ns, file);
        if (provider == nullptr && equal(file, searcher.config.machine->loader_soname))
          provider = self;
      }
      if (provider == nullptr)
        continue;  // reported as missing already, or provided by another name
      if (log::wants(log::kVersions))
        log::line("checking for version `", v.name, "' in file ",
                  log::In{provider->display, provider->ns->id}, " required by file ",
                  log::In{m->display, m->ns->id});
      if (provider->image.verdef == nullptr) {
        Error e{.code = Code::undefined_version, .object = provider->display, .detail = m->display};
        if (!sink.report(sink.context, e)) return e;
        continue;
      }
      if (v.weak || elf::defines_version(provider->versions, v.name, v.hash)) continue;
      Error e{.code = Code::version_not_found,
              .object = provider->display,
              .subject = v.name,
              .detail = m->display};
      if (!sink.report(sink.context, e)) return e;
    }
  }
  return {};
}

Status Loader::check_unchanged(const Module& m) {
  sys::Stat now;
  // A file that was replaced, and not written to, is still what is mapped.
  if (!m.owns_mapping || sys::stat(m.path, &now) < 0) return {};
  if (m.file != FileId{now.st_dev, now.st_ino} || m.content == content_of(now)) return {};
  return Error{.code = Code::file_changed, .object = m.display};
}

Status Loader::leave_image(Module& m) {
  long fd = sys::open_for_reading(m.path);
  if (fd < 0)
    return Error{
        .code = Code::cannot_open, .sys_errno = static_cast<int>(-fd), .object = m.display};
  sys::Stat now;
  bool same = sys::fstat(static_cast<int>(fd), &now) >= 0 &&
              m.file == FileId{now.st_dev, now.st_ino} && m.content == content_of(now);
  Status s = same ? map::map_writable_again(static_cast<int>(fd), m.image.segments, m.mapping,
                                            page_size, m.display)
                  : Status(Error{.code = Code::file_changed, .object = m.display});
  sys::close(static_cast<int>(fd));
  if (s) m.in_image = false;
  return s;
}

void Loader::forget(Module& m) {
  if (m.forgotten) return;
  m.forgotten = true;
  for (const char* name : m.names) m.ns->by_name.erase(hash_string(name), &m);
  (m.path_is_name ? m.ns->by_name : m.ns->by_path).erase(hash_string(m.path), &m);
  m.ns->by_file.erase(hash_of(m.file), &m);
}

void Loader::remove(Module& m) {
  Module* self_pointer = &m;
  forget(m);
  if (m.index < m.ns->modules.size() && m.ns->modules[m.index] == &m)
    take_out(*m.ns, {&self_pointer, 1});
  destroy(&m);
}

void take_out(Namespace& ns, std::span<Module* const> going) {
  std::uint32_t mark = next_mark();
  std::size_t first = ns.modules.size();
  for (Module* m : going) {
    m->mark = mark;
    if (m->index < first) first = m->index;
  }
  std::size_t kept = first;
  for (std::size_t i = first; i < ns.modules.size(); ++i) {
    Module* m = ns.modules[i];
    if (m->mark == mark) continue;
    m->index = static_cast<std::uint32_t>(kept);
    ns.modules[kept++] = m;
  }
  ns.modules.truncate(kept);
  ns.modules.shrink();
}

}  // namespace myld::load
