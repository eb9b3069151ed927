// dlclose(3): a module goes when nobody opened it, needs it or is bound to it any more.
//
// Only what the closed module leads to is looked at, so the cost does not depend on how many
// modules the process has. Among those, one stays if it has a user outside, an open handle, or a
// reason of its own; and so does all that it leads to. The rest, cycles included, goes together.
#include "loader/base/mem.hpp"
#include "loader/sys/log.hpp"
#include "rtld/debug/probes.hpp"
#include "rtld/debug/r_debug.hpp"
#include "rtld/dlopen/dlfcn.hpp"
#include "rtld/dlopen/object_index.hpp"
#include "rtld/dlopen/transaction.hpp"
#include "rtld/entry.hpp"
#include "rtld/init/order.hpp"
#include "rtld/init/run.hpp"

#include <algorithm>

namespace myld::dlopen {
namespace {

using load::Stage;

/// Calls visit(module) for what `m` needs and is bound to.
template <class Visit>
void each_use(const Module& m, Visit visit) {
  for (Module* n : m.needed) visit(*n);
  for (Module* n : m.bound_to) visit(*n);
}

bool stays_by_itself(const Module& m) {
  return m.from_start || m.is_loader || m.permanent || m.opens != 0;
}

/// A thread runs its constructors, or has objects of it to destroy when it ends.
bool stays_for_now(const Runtime& runtime, const Module& m) {
  if (m.stage == Stage::initialising) return true;
  return runtime.abi->has_pending_destructors != nullptr && runtime.abi->has_pending_destructors(m);
}

/// Nobody closes such a module again, so the next dlclose of its namespace looks at it too. Without
/// memory to note it, it stays.
void linger(Runtime& runtime, Module& m) {
  if (!m.lingers) m.lingers = runtime.lingering.push(&m);
}
void stop_lingering(Runtime& runtime, Module& m) {
  if (!m.lingers) return;
  m.lingers = false;
  for (std::size_t i = runtime.lingering.size(); i-- > 0;)
    if (runtime.lingering[i] == &m) runtime.lingering.erase(i);
}

/// What can be reached from `root`, and from what lingers, and might go. False: no memory.
bool candidates(const Runtime& runtime, Module& root, Vec<Module*>& out) {
  std::uint32_t mark = load::next_mark();
  root.mark = mark;
  if (!out.push(&root)) return false;
  for (Module* m : runtime.lingering) {
    if (m->ns != root.ns || m->mark == mark) continue;
    m->mark = mark;
    if (!out.push(m)) return false;
  }
  bool ok = true;
  for (std::size_t i = 0; ok && i < out.size(); ++i) {
    Module* m = out[i];
    each_use(*m, [&](Module& n) {
      if (n.mark == mark || n.from_start || n.is_loader) return;
      n.mark = mark;
      ok = ok && out.push(&n);
    });
  }
  return ok;
}

/// Keeps in `group` only what goes. False: no memory, and then nothing goes.
bool find_garbage(Runtime& runtime, Vec<Module*>& group) {
  std::uint32_t in_group = load::next_mark(), stays = load::next_mark();
  for (Module* m : group) {
    m->mark = in_group;
    m->counter = 0;
  }
  for (Module* m : group) each_use(*m, [](Module& n) { ++n.counter; });
  Vec<Module*> alive;
  for (Module* m : group) {
    bool outside = m->users > m->counter || stays_by_itself(*m);
    bool for_now = !outside && stays_for_now(runtime, *m);
    if (for_now) linger(runtime, *m);
    // Its users are not about to go: whoever closes one of them comes here again.
    if (outside && runtime.closing == 0) stop_lingering(runtime, *m);
    if (!outside && !for_now) continue;
    m->mark = stays;
    if (!alive.push(m)) return false;
  }
  bool ok = true;
  while (ok && !alive.empty()) {
    Module* m = alive.back();
    alive.pop();
    each_use(*m, [&](Module& n) {
      if (n.mark != in_group) return;
      n.mark = stays;
      ok = ok && alive.push(&n);
    });
  }
  if (!ok) return false;
  std::size_t kept = 0;
  for (Module* m : group)
    if (m->mark == in_group) group[kept++] = m;
  group.truncate(kept);
  return true;
}

/// A module that stays without the one that brought it (what goes was bound to it, or it is kept
/// for itself) goes on finding its own symbols and its dependencies': by what is left of its
/// `scopes`, or a group of its own that is appended. False: no memory.
bool keep_own_symbols(Module& m, Vec<load::Scope*>& scopes) {
  if (m.global) return true;
  for (const load::Scope* s : scopes)
    if (s != &m.own)
      for (std::uint32_t i = 0; i < s->list->count; ++i)
        if (s->list->modules[i] == &m) return true;
  return make_group(m) && scopes.push(&m.group);
}

/// A namespace's global scope without the modules that have this mark. nullptr: no memory.
load::ModuleList* global_without(const load::Namespace& ns, std::uint32_t mark) {
  const load::ModuleList& now = *ns.global.list;
  Vec<Module*> rest;
  if (!rest.reserve(now.count)) return nullptr;
  for (std::uint32_t i = 0; i < now.count; ++i)
    if (now.modules[i]->mark != mark) rest.push_reserved(now.modules[i]);
  return load::make_list(rest.span());
}

/// Groups of modules that go stand in the chains of modules that stay: those get chains without.
/// `mark`: of what goes. False: no memory.
bool chains_without(const Vec<Module*>& going, std::uint32_t mark, NewChains& out) {
  Vec<load::Scope*> gone;
  Vec<Module*> users;
  std::uint32_t noted = load::next_mark();
  for (Module* m : going) {
    if (m->group.list == nullptr) continue;
    if (!gone.push(&m->group)) return false;
    for (Module* n : members(m->group)) {
      if (n->mark == mark || n->mark == noted) continue;
      if (n->from_start || n->is_loader || n->scopes == nullptr) continue;
      n->mark = noted;
      if (!users.push(n)) return false;
    }
  }
  std::sort(gone.begin(), gone.end());
  for (Module* n : users) {
    Vec<load::Scope*> rest;
    for (std::uint32_t i = 0; i < n->scopes->count; ++i) {
      load::Scope* scope = n->scopes->scopes[i];
      if (!std::binary_search(gone.begin(), gone.end(), scope) && !rest.push(scope)) return false;
    }
    if (rest.size() == n->scopes->count) continue;
    if (!keep_own_symbols(*n, rest) || !out.add(*n, rest.span())) return false;
  }
  return true;
}

/// No scope of the namespace has the modules that go any more. What readers may still have goes to
/// `retired`. False: no memory, and nothing is changed.
bool hide(load::Namespace& ns, const Vec<Module*>& going, Retired& retired) {
  std::uint32_t mark = load::next_mark();
  bool was_global = false;
  for (Module* m : going) {
    m->mark = mark;
    was_global = was_global || m->global;
  }
  load::ModuleList* global = was_global ? global_without(ns, mark) : nullptr;
  if (was_global && global == nullptr) return false;
  NewChains chains;
  if (!chains_without(going, mark, chains)) {
    load::release_list(global);
    return false;
  }
  chains.publish(retired);
  if (global != nullptr) {
    retired.list(ns.global.list);
    __atomic_store_n(&ns.global.list, global, __ATOMIC_RELEASE);
  }
  return true;
}

/// Takes the modules out of everything that a search, an unwinder, libc or a debugger reads. False:
/// there is no memory for the lists that those need, and nothing is changed.
bool withdraw(Runtime& runtime, load::Namespace& ns, const Vec<Module*>& going, Retired& retired) {
  ObjectIndex* index = index_without(going.span());
  if (index == nullptr || !hide(ns, going, retired)) {
    discard_index(index);
    return false;
  }
  audit::activity(runtime.audit, ns, audit::kDelete);
  debug::announce(ns, debug::State::remove);
  MYLD_PROBE_2("unmap_start", ns.id, debug::r_debug_of(ns));
  for (Module* m : going) debug::unlink(ns, *m);
  load::take_out(ns, going.span());
  retired.index(publish_index(index));
  for (Module* m : going) remove_handle(*m);
  if (runtime.abi->chain_changed != nullptr) runtime.abi->chain_changed(runtime, ns);
  audit::activity(runtime.audit, ns, audit::kConsistent);
  debug::announce(ns, debug::State::consistent);
  MYLD_PROBE_2("unmap_complete", ns.id, debug::r_debug_of(ns));
  return true;
}

/// After the destructors: nobody finds the modules any more; then they are unmapped.
void unload(Runtime& runtime, load::Namespace& ns, const Vec<Module*>& going) {
  // The chain lock first: see Runtime::chain_lock.
  runtime.chain_lock->lock();
  // Until the old index is released: it shares chunks with the new one, and if another thread
  // replaced that one meanwhile, those chunks could be gone when they are looked at here.
  LoadGuard guard(runtime);
  Retired retired;
  bool withdrawn = withdraw(runtime, ns, going, retired);
  runtime.chain_lock->unlock();
  if (!withdrawn) return;  // the modules stay mapped, finalised
  retired.release();       // waits for the readers
  // What they used may have been closed while their destructors ran, and stayed for their sake.
  for (Module* m : going)
    each_use(*m, [&](Module& n) {
      if (!n.leaving && n.opens == 0 && !stays_by_itself(n)) linger(runtime, n);
    });
  for (Module* m : going) drop_uses(*m);
  for (Module* m : going) {
    if (log::wants(log::kFiles)) {
      log::line("");
      log::line("file=", log::In{m->display, m->ns->id}, ";  destroying link map");
    }
    tls::remove(runtime.tls, *m);
    release_link_map(runtime, *m);
    runtime.loader.remove(*m);
  }
  if (ns.id != 0 && ns.modules.empty()) remove_namespace(runtime, ns);
}

}  // namespace

int close(void* handle) {
  Runtime& runtime = the_runtime();
  clear_error();
  Vec<Module*> going;
  load::Namespace* ns = nullptr;
  {
    LoadGuard guard(runtime);
    Module* m = module_of_handle(handle);
    if (m == nullptr) {
      set_error({.code = Code::invalid_handle,
                 .object = runtime.program->display,
                 .value = reinterpret_cast<std::uintptr_t>(handle)});
      return -1;
    }
    if (m == m->ns->program && m->ns->id == 0) return 0;
    if (m->opens == 0) {
      if (m->permanent) return 0;  // like ld.so, which does not count who closes what never goes
      set_error({.code = Code::not_open, .object = m->display});
      return -1;
    }
    --m->opens;
    if (m->opens != 0 || m->from_start) {
      if (log::wants(log::kFiles)) {
        log::line("");
        log::line("closing file=", m->display, "; direct_opencount=", sys::Decimal{m->opens});
      }
      return 0;
    }
    Vec<Module*> group;
    if (!candidates(runtime, *m, group) || !find_garbage(runtime, group) || group.empty()) return 0;
    ns = m->ns;
    Vec<Module*> order;
    if (!init::dependencies_first(group.span(), true, order) || !going.reserve(order.size()))
      return 0;
    for (std::size_t i = order.size(); i-- > 0;) going.push_reserved(order[i]);
    ++runtime.closing;
    // From here on a dlopen of the same file maps it anew, and nobody binds to this copy any more
    // but those that go with it.
    for (Module* each : going) {
      stop_lingering(runtime, *each);
      runtime.loader.forget(*each);
      __atomic_store_n(&each->leaving, true, __ATOMIC_RELEASE);
    }
  }
  init::run_destructors(runtime, going.span());
  unload(runtime, *ns, going);
  LoadGuard guard(runtime);
  --runtime.closing;
  return 0;
}

}  // namespace myld::dlopen
