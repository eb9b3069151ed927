#include "loader/load/loader.hpp"

#include "loader/base/mem.hpp"
#include "loader/find/timeline.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/log.hpp"

namespace myld::load {
namespace {

void log_request(const Namespace& ns, const char* name, const Module* by, bool at_run_time) {
  log::line("");
  log::Line line;
  line << "file=" << log::In{name, ns.id};
  if (by != nullptr)
    line << (at_run_time ? ";  dynamically loaded by " : ";  needed by ")
         << log::In{by->display, by->ns->id};
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

const char* Loader::add_name(Module& m, const char* name) {
  if (m.path_is_name && equal(m.path, name)) return m.path;
  auto find_it = [&]() -> const char* {
    for (const char* each : m.names)
      if (equal(each, name)) return each;
    return nullptr;
  };
  // One file may be needed by tens of thousands of names: those of the same hash are looked at.
  std::uint64_t hash = hash_string(name);
  constexpr std::size_t kFew = 8;
  const char* found = nullptr;
  if (m.names.size() <= kFew)
    found = find_it();
  else
    m.ns->by_name.find(
        hash, [&](const Module& each) { return &each == &m && (found = find_it()) != nullptr; });
  if (found != nullptr) return found;
  char* copy = copy_string(name);
  if (copy == nullptr) return nullptr;
  if (!m.names.push(copy)) {
    release_string(copy);
    return nullptr;
  }
  if (m.ns->by_name.insert(hash, &m)) return copy;
  m.names.pop();
  release_string(copy);
  return nullptr;
}

Module* Loader::find_file(Namespace& ns, const find::Found& found) {
  FileId id{found.stat.st_dev, found.stat.st_ino};
  auto same_file = [&](const Module& m) { return m.file == id; };
  Module* m = ns.by_file.find(id.hash(), same_file);
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
  if (!made) {
    if (source.keep) sys::close(fd);
    return made;
  }
  Module& module = *made.value();
  module.kept_fd = source.keep ? fd : -1;
  module.requested = copy_string(source.path);
  if (module.requested == nullptr) return no_memory(source.path);
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
    if (found.fd >= 0) sys::close(found.fd);
    release_string(found.path);
    if (m == nullptr) return static_cast<Module*>(nullptr);
    if (m != self && means_it_from_now_on(name) && !add_name(*m, name)) return no_memory(name);
    return m;
  }
  m = MYLD_TRY(add_file(ns, found, name, requester, created, room));
  if (listener.mapped != nullptr && !listener.mapped(listener.context, *m)) return no_memory(name);
  m->requested = means_it_from_now_on(name) ? add_name(*m, name) : copy_string(name);
  if (m->requested == nullptr) return no_memory(name);
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
      if (v.weak || provider->versions.defines(v.name, v.hash)) continue;
      Error e{.code = Code::version_not_found,
              .object = provider->display,
              .subject = v.name,
              .detail = m->display};
      if (!sink.report(sink.context, e)) return e;
    }
  }
  return {};
}

}  // namespace myld::load
