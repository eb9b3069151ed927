// dlopen(3), dlmopen(3).
//
// Everything that can fail happens before anything is visible: mapping, dependencies, versions,
// scopes, relocation, TLS of all threads. Then a commit that cannot fail publishes the result, the
// lock is dropped and the constructors run.
#include "loader/base/mem.hpp"
#include "loader/sys/log.hpp"
#include "rtld/debug/probes.hpp"
#include "rtld/debug/r_debug.hpp"
#include "rtld/debug/reports.hpp"
#include "rtld/dlopen/audited.hpp"
#include "rtld/dlopen/dlfcn.hpp"
#include "rtld/dlopen/file_watch.hpp"
#include "rtld/dlopen/leak_checker.hpp"
#include "rtld/dlopen/object_index.hpp"
#include "rtld/dlopen/transaction.hpp"
#include "rtld/entry.hpp"
#include "rtld/init/order.hpp"
#include "rtld/init/run.hpp"
#include "rtld/relocate/relocate.hpp"
#include "rtld/scope/name_index.hpp"

namespace myld::dlopen {
namespace {

/// May the file be opened at run time at all? The running program may not by its path, as any other
/// program.
Status check_openable(const Module& m) {
  if (m.is_program && m.mapping.bias.value == 0)
    return Error{.code = Code::cannot_dlopen_executable, .object = m.display};
  if (m.image.has_flag_1(DF_1_NOOPEN)) return Error{.code = Code::no_dlopen, .object = m.display};
  if (m.image.has_flag_1(DF_1_PIE))
    return Error{.code = Code::cannot_dlopen_pie, .object = m.display};
  return {};
}

/// The namespace that `id` means, made if it is kNewNamespace; `file` is to be opened in it.
Result<load::Namespace*>
find_namespace(Runtime& runtime, long id, const Module* caller, const char* file, bool& is_new) {
  if (id == kCallersNamespace) return caller->ns;
  if (id != kNewNamespace && id != kAuditorsNamespace) {
    if (id < 0 || static_cast<std::size_t>(id) >= runtime.namespaces.size() ||
        runtime.namespaces[static_cast<std::size_t>(id)] == nullptr)
      return Error{.code = Code::invalid_namespace, .sys_errno = sys::kEinval, .object = file};
    return runtime.namespaces[static_cast<std::size_t>(id)];
  }
  load::Namespace* ns = make_namespace(runtime);
  if (ns == nullptr) return no_memory(caller->display);
  ns->is_auditors = id == kAuditorsNamespace;
  is_new = true;
  return ns;
}

bool first_error(void*, const Error&) { return false; }
constexpr load::ErrorSink kStopAtFirst{first_error, nullptr};

/// Missing version information in a library is no error at run time either.
bool versions_error(void*, const Error& e) { return e.code == Code::undefined_version; }
constexpr load::ErrorSink kVersions{versions_error, nullptr};

Status load_and_relocate(Runtime& runtime, Transaction& t, Module& root, int mode) {
  MYLD_CHECK(check_openable(root));
  MYLD_CHECK(runtime.loader.load_closure({}, t.created, kStopAtFirst));
  for (Module* m : t.created) MYLD_CHECK(check_openable(*m));
  MYLD_CHECK(runtime.loader.check_versions(t.created.span(), kVersions));
  for (Module* m : t.created)
    if (!make_link_map(runtime, *m)) return no_memory(m->display);
  const debug::RDebug* r_debug = debug::r_debug_of(t.ns());
  t.mapping = false;
  MYLD_PROBE_3("map_complete", t.ns().id, r_debug, root.link_map);
  MYLD_CHECK(t.make_group(root));
  for (Module* m : t.created)
    if (!make_scopes(*m, &root.group, (mode & kDeepBind) != 0)) return no_memory(m->display);
  if (t.is_new_namespace && !t.open_global_scope(root)) return no_memory(root.display);
  tell_leak_checker(runtime);
  for (Module* m : t.created) MYLD_CHECK(tls::assign(runtime.tls, *m));
  bool lazy = (mode & kBindingMask) == kLazy && !runtime.options.bind_now;
  Vec<Module*> order;
  if (!init::dependencies_first(t.created.span(), false, order)) return no_memory(root.display);
  if (t.ns().libc == nullptr) relocate::libc_first(runtime, order);
  for (Module* m : order) {
    m->advance(load::Stage::scoped);
    m->lazy = lazy && !m->image.bind_now;
  }
  if (log::wants(log::kScopes))
    for (Module* m : t.created) debug::log_scopes(*m);
  MYLD_PROBE_2("reloc_start", t.ns().id, r_debug);
  for (std::uint32_t i = 0; i < root.scopes->count; ++i)
    if (load::ModuleList* list = root.scopes->scopes[i]->list; scope::asked_enough(list))
      scope::consider_index(*list);
  scope::Batch batch;
  relocate::look_up_references(order.span(), batch);
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    relocate::FoundReferences found{&batch, i};
    MYLD_CHECK(
        relocate::relocate(runtime, *order[i], kStopAtFirst, batch.empty() ? nullptr : &found));
  }
  for (Module* m : order) MYLD_CHECK(init::check_functions(*m));
  return tls::add_to_threads(runtime.tls, t.created.span());
}

/// The part that is done for modules that were there before, too. Nothing is visible yet.
Status prepare(Runtime& runtime, Transaction& t, Module& root, int mode) {
  if (t.created.empty()) {
    MYLD_CHECK(t.make_group(root));
    if ((mode & kBindingMask) == kNow)
      for (Module* m : members(root.group))
        MYLD_CHECK(relocate::bind_all(runtime, *m, kStopAtFirst));
  }
  bool global = (mode & kGlobal) != 0 || root.image.has_flag_1(DF_1_GLOBAL);
  if (global && !t.prepare_promotion(root)) return no_memory(root.display);
  if (!t.extend_scopes(root)) return no_memory(root.display);
  if (!t.created.empty() && !t.prepare_index()) return no_memory(root.display);
  return {};
}

/// True if `root` is open and `mode` changes nothing of it: its group is initialised, bound and as
/// global as `mode` asks, and an earlier dlopen has put the group in its members' scopes.
bool only_counts(const Module& root, int mode) {
  if (root.opens == 0 || root.group.list == nullptr) return false;
  if ((mode & kNoDelete) != 0 && !root.permanent) return false;
  for (std::uint32_t i = 0; i < root.group.list->count; ++i) {
    const Module& m = *root.group.list->modules[i];
    if (m.stage != load::Stage::running || ((mode & kGlobal) != 0 && !m.global) ||
        ((mode & kBindingMask) == kNow && m.lazy))
      return false;
  }
  return true;
}

/// True if a constructor of what `root` needs is what opens `root`, which a dlopen further out in
/// this thread is about to initialise. It does so in order: `root` after that constructor has
/// ended.
bool initialised_further_out(const Module& root) {
  std::uintptr_t me = arch::thread_pointer();
  if (root.initialiser != me || root.stage != load::Stage::relocated) return false;
  for (const Module* m : members(root.group))
    if (m->stage == load::Stage::initialising && m->initialiser == me) return true;
  return false;
}

Result<Opened> open_in(Runtime& runtime,
                       Transaction& t,
                       const char* name,
                       int mode,
                       Module* caller,
                       load::FileSource* source,
                       Vec<Module*>& order) {
  load::Namespace& ns = t.ns();
  bool no_load = (mode & kNoLoad) != 0;
  auto found = source != nullptr && source->fd >= 0
                   ? runtime.loader.open_source(ns, *source, caller, no_load, t.created)
                   : runtime.loader.open(ns, name, caller, no_load, t.created,
                                         source == nullptr ? map::Room{} : source->room);
  if (!found) return found.error();
  Module* root = found.value();
  if (root == nullptr) return Opened{};
  if (root->is_program) {
    if (no_load) return Opened{};
    MYLD_CHECK(check_openable(*root));
  }
  if (!t.is_new_namespace && only_counts(*root, mode)) {
    ++root->opens;  // there is nothing to commit
    return Opened{root, false};
  }
  if (!t.created.empty()) {
    if (t.is_new_namespace) ns.program = root;
    t.mapping = true;
    MYLD_PROBE_2("map_start", ns.id, debug::r_debug_of(ns));
    MYLD_CHECK(load_and_relocate(runtime, t, *root, mode));
  }
  MYLD_CHECK(prepare(runtime, t, *root, mode));
  if (!initialised_further_out(*root) &&
      !init::dependencies_first(members(root->group), false, order, root))
    return no_memory(root->display);
  MYLD_CHECK(FileWatch::check());
  for (Module* m : t.created) MYLD_CHECK(runtime.loader.check_unchanged(*m));
  // Nothing fails from here on.
  if ((mode & kNoDelete) != 0) {
    root->permanent = true;
    if (root->permanent_because == nullptr) root->permanent_because = "RTLD_NODELETE";
  }
  if (root->opens == 0 && root->stage == load::Stage::relocated)
    root->initialiser = arch::thread_pointer();
  ++root->opens;
  t.commit();
  audit::activity(runtime.audit, ns, audit::kConsistent);
  return Opened{root, t.is_new_namespace};
}

}  // namespace

Result<Opened> open_module(Runtime& runtime,
                           const char* file,
                           int mode,
                           Module* caller,
                           long ns_id,
                           load::FileSource* source,
                           Vec<Module*>& order) {
  bool is_new_namespace = false;
  load::Namespace* ns = MYLD_TRY(find_namespace(runtime, ns_id, caller, file, is_new_namespace));
  Transaction t(runtime, *ns, is_new_namespace);
  find::Searcher& searcher = runtime.loader.searcher;
  char* expanded = nullptr;
  if ((source == nullptr || source->fd < 0) && find_char(file, '$') != nullptr) {
    expanded = searcher.expand(file, strlen(file), &caller->requester);
    if (expanded == nullptr)
      return Error{.code = Code::empty_expansion, .object = caller->display, .subject = file};
  }
  FileWatch watch(runtime);
  auto opened =
      open_in(runtime, t, expanded != nullptr ? expanded : file, mode, caller, source, order);
  // Rolling back releases what the error's strings are part of.
  Error error = opened ? Error{} : searcher.kept.keep(opened.error());
  // What was read from pages of zeros is not what is wrong.
  if (Status changed = FileWatch::check(); error && !changed) error = changed.error();
  release_string(expanded);
  if (error) return error;
  return opened;
}

namespace {

/// The constructors of what was opened, after libc's own beginning in a new namespace.
void initialise(Runtime& runtime, const Opened& opened, std::span<Module* const> order) {
  const abi::RuntimeAbi& abi = *runtime.abi;
  if (opened.is_new_namespace && abi.libc_loaded != nullptr)
    abi.libc_loaded(runtime, *opened.module->ns);
  if (!order.empty()) {
    take_profile(runtime);
    char** envp = abi.environment == nullptr ? runtime.envp : abi.environment(runtime);
    init::run_constructors(runtime, order, envp);
  }
  if (!log::wants(log::kFiles)) return;
  LoadGuard guard(runtime);
  log::line("opening file=", log::In{opened.module->display, opened.module->ns->id},
            "; direct_opencount=", sys::Decimal{opened.module->opens});
  log::line("");
}

}  // namespace

Result<Module*> open_in_new_namespace(Runtime& runtime, const char* name) {
  Vec<Module*> order;
  Opened opened = MYLD_TRY(
      open_module(runtime, name, kLazy, runtime.loader.self, kAuditorsNamespace, nullptr, order));
  initialise(runtime, opened, order.span());
  return opened.module;
}

void* open(
    const char* file, int mode, std::uintptr_t caller_address, long ns, load::FileSource* source) {
  Runtime& runtime = the_runtime();
  clear_error();
  if ((mode & kBindingMask) == 0 ||
      (mode & ~(kBindingMask | kNoLoad | kDeepBind | kGlobal | kNoDelete | kForSprof)) != 0) {
    set_error({.code = Code::invalid_mode,
               .sys_errno = sys::kEinval,
               .object = file == nullptr ? "" : file});
    return nullptr;
  }
  Opened result;
  Vec<Module*> order;
  {
    LoadGuard guard(runtime);
    // The loader's own kind of new namespace is not for everybody.
    if (ns == kAuditorsNamespace) ns = kNoNamespace;
    Module* caller = module_at(caller_address);
    if (caller == nullptr || caller->is_loader) caller = runtime.program;
    if (file == nullptr || *file == 0) {
      // A new namespace needs something to begin with.
      bool is_new = false;
      auto own =
          ns == kNewNamespace
              ? Error{.code = Code::invalid_namespace, .sys_errno = sys::kEinval, .object = ""}
              : find_namespace(runtime, ns, caller, "", is_new);
      if (own) return own.value()->program->link_map;
      set_error(own.error());
      return nullptr;
    }
    auto opened = open_module(runtime, file, mode, caller, ns, source, order);
    if (!opened) {
      set_error(opened.error());
      return nullptr;
    }
    result = opened.value();
    if (result.module == nullptr) return nullptr;
  }
  if ((mode & kForSprof) == 0) initialise(runtime, result, order.span());
  return result.module->link_map;
}

}  // namespace myld::dlopen
