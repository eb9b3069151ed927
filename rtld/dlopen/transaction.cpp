#include "rtld/dlopen/transaction.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/log.hpp"
#include "rtld/debug/probes.hpp"
#include "rtld/debug/r_debug.hpp"
#include "rtld/dlopen/dlfcn.hpp"
#include "rtld/entry.hpp"
#include "rtld/scope/lookup.hpp"
#include "rtld/scope/name_index.hpp"

#include <new>

namespace myld::dlopen {

load::Namespace* make_namespace(Runtime& runtime) {
  std::size_t id = 1;
  while (id < runtime.namespaces.size() && runtime.namespaces[id] != nullptr) ++id;
  if (!runtime.namespaces.reserve(id + 1)) return nullptr;
  void* memory = heap::allocate(sizeof(load::Namespace));
  void* r_debug = heap::allocate(sizeof(debug::RDebug));
  if (memory == nullptr || r_debug == nullptr) {
    heap::release(memory, sizeof(load::Namespace));
    heap::release(r_debug, sizeof(debug::RDebug));
    return nullptr;
  }
  auto* ns = new (memory) load::Namespace;
  static constinit std::uint64_t last_serial = 0;  // under the load lock
  ns->id = static_cast<long>(id);
  ns->serial = ++last_serial;
  ns->r_debug = r_debug;
  auto* r = static_cast<debug::RDebug*>(r_debug);
  *r = _r_debug;
  r->r_map = nullptr;
  r->r_next = nullptr;  // it is chained when the namespace is published
  r->r_version = 2;
  if (id == runtime.namespaces.size())
    runtime.namespaces.push_reserved(ns);
  else
    runtime.namespaces[id] = ns;
  return ns;
}

void remove_namespace(Runtime& runtime, load::Namespace& ns) {
  runtime.namespaces[static_cast<std::size_t>(ns.id)] = nullptr;
  while (runtime.namespaces.back() == nullptr) runtime.namespaces.pop();
  debug::unchain(ns);
  load::release_list(ns.global.list);
  heap::release(ns.r_debug, sizeof(debug::RDebug));
  ns.~Namespace();
  heap::release(&ns, sizeof ns);
}

void drop_uses(Module& m) {
  for (Module* each : m.needed) --each->users;
  for (Module* each : m.bound_to) --each->users;
  m.needed.clear();
  m.bound_to.clear();
}

// ---- Retired
// -------------------------------------------------------------------------------------

void Retired::add(const Item& item) {
  if (item.what != nullptr) static_cast<void>(items_.push(item));
}

void Retired::release() {
  if (items_.empty()) return;
  wait_for_readers();
  for (const Item& item : items_) switch (item.kind) {
    case Kind::list: load::release_list(static_cast<load::ModuleList*>(item.what)); break;
    case Kind::chain: release_chain(static_cast<load::ScopeChain*>(item.what)); break;
    case Kind::index: release_index(static_cast<ObjectIndex*>(item.what)); break;
    case Kind::handles: release_handles(item.what); break;
    }
  items_.clear();
}

// ---- NewChains
// -----------------------------------------------------------------------------------

NewChains::~NewChains() {
  for (const Item& each : items_) release_chain(each.chain);
}

bool NewChains::add(Module& m, std::span<load::Scope* const> scopes) {
  load::ScopeChain* chain = make_chain(scopes);
  if (chain == nullptr) return false;
  if (items_.push({&m, chain})) return true;
  release_chain(chain);
  return false;
}

void NewChains::publish(Retired& retired) {
  for (const Item& each : items_) {
    retired.chain(each.module->scopes);
    __atomic_store_n(&each.module->scopes, each.chain, __ATOMIC_RELEASE);
  }
  items_.clear();
}

// ---- Transaction
// ---------------------------------------------------------------------------------

Transaction::Transaction(Runtime& runtime, load::Namespace& ns, bool is_new)
    : is_new_namespace(is_new), runtime_(runtime), ns_(ns) {}

Transaction::~Transaction() {
  if (!committed_) roll_back();
}

Status Transaction::make_group(Module& root) {
  if (root.group.list != nullptr) return {};
  if (!dlopen::make_group(root)) return Error{.code = Code::out_of_memory, .object = root.display};
  if (created.empty()) made_group_ = &root;
  return {};
}

bool Transaction::open_global_scope(Module& root) {
  ns_.global.list = load::make_list(members(root.group));
  if (ns_.global.list == nullptr) return false;
  for (Module* m : members(root.group)) m->global = m->ns == &ns_ || m->global;
  return true;
}

bool Transaction::prepare_promotion(Module& root) {
  Vec<Module*> all;
  const load::ModuleList* old = ns_.global.list;
  if (!all.reserve((old == nullptr ? 0 : old->count) + root.group.list->count)) return false;
  for (std::uint32_t i = 0; old != nullptr && i < old->count; ++i)
    all.push_reserved(old->modules[i]);
  std::size_t before = all.size();
  for (Module* m : members(root.group))
    if (!m->global && !all.push(m)) return false;
  if (all.size() == before) return true;
  new_global_ = load::make_list(all.span());
  promoted_ = &root;
  return new_global_ != nullptr;
}

bool Transaction::extend_scopes(Module& root) {
  for (Module* m : members(root.group)) {
    if (m->from_start || m->is_loader || m->ns != &ns_ || m->scopes == nullptr) continue;
    bool has = false;
    for (std::uint32_t i = 0; i < m->scopes->count; ++i)
      has = has || m->scopes->scopes[i] == &root.group;
    if (has) continue;
    Vec<load::Scope*> scopes;
    for (std::uint32_t i = 0; i < m->scopes->count; ++i)
      if (!scopes.push(m->scopes->scopes[i])) return false;
    if (!scopes.push(&root.group) || !new_chains_.add(*m, scopes.span())) return false;
  }
  return true;
}

bool Transaction::prepare_index() {
  if (!reserve_handles(created.size(), old_handles_)) return false;
  new_index_ = index_with(created.span());
  return new_index_ != nullptr;
}

void Transaction::commit() {
  committed_ = true;
  Retired retired;
  if (!created.empty()) debug::announce(ns_, debug::State::add);
  if (is_new_namespace) debug::chain(ns_);
  for (Module* m : created) {
    debug::link(ns_, *m);
    if (m->ns->libc == nullptr && runtime_.abi->is_libc != nullptr && runtime_.abi->is_libc(*m))
      m->ns->libc = m;
  }
  if (new_index_ != nullptr) {
    retired.index(publish_index(new_index_));
    for (Module* m : created) add_handle(*m);
    retired.handles(old_handles_);
  }
  new_chains_.publish(retired);
  if (new_global_ != nullptr) {
    load::ModuleList* old = ns_.global.list;
    scope::continue_index(old, *new_global_);
    __atomic_store_n(&ns_.global.list, new_global_, __ATOMIC_RELEASE);
    retired.list(old);
    for (Module* m : members(promoted_->group)) {
      if (!m->global && log::wants(log::kScopes))
        log::line("add ", log::In{m->display, ns_.id}, " to global scope");
      m->global = true;
    }
  }
  if (!created.empty()) {
    if (runtime_.abi->chain_changed != nullptr) runtime_.abi->chain_changed(runtime_, ns_);
    debug::announce(ns_, debug::State::consistent);
    // A debugger reads the chain from the first new module on.
    MYLD_PROBE_3("reloc_complete", ns_.id, debug::r_debug_of(ns_), created[0]->link_map);
  }
  retired.release();
}

void Transaction::roll_back() {
  if (mapping) MYLD_PROBE_2("map_failed", ns_.id, debug::r_debug_of(ns_));
  load::release_list(new_global_);
  discard_index(new_index_);
  Retired retired;
  retired.handles(old_handles_);
  if (made_group_ != nullptr) {
    retired.list(made_group_->group.list);
    __atomic_store_n(&made_group_->group.list, static_cast<load::ModuleList*>(nullptr),
                     __ATOMIC_RELEASE);
  }
  retired.release();
  for (Module* m : created) audit::closed(runtime_.audit, *m);
  audit::activity(runtime_.audit, ns_, audit::kConsistent);
  for (Module* m : created) drop_uses(*m);
  for (std::size_t i = created.size(); i-- > 0;) {
    Module& m = *created[i];
    if (m.permanent) scope::forget_unique(m);
    tls::remove(runtime_.tls, m);
    release_link_map(runtime_, m);
    // The error that is on its way to dlerror may point to the module's name.
    runtime_.loader.remove(m);
  }
  if (is_new_namespace) remove_namespace(runtime_, ns_);
}

}  // namespace myld::dlopen
