// dlsym(3), dlvsym(3).
#include "arch/vector_state.hpp"
#include "loader/base/mem.hpp"
#include "loader/sys/log.hpp"
#include "rtld/dlopen/dlfcn.hpp"
#include "rtld/dlopen/object_index.hpp"
#include "rtld/entry.hpp"
#include "rtld/relocate/relocate.hpp"
#include "rtld/scope/name_index.hpp"

namespace myld::dlopen {
namespace {

using load::Scope;
using scope::Definition;
using scope::Request;

void* const kDefault = nullptr;
void* const kNext = reinterpret_cast<void*>(std::intptr_t{-1});

/// What a handle of `m` stands for: the program's is the global scope of its namespace.
const Scope& scope_of(const Module& m) { return &m == m.ns->program ? m.ns->global : m.group; }

/// RTLD_NEXT goes on in the list that the caller is in: the group it was opened with, or the global
/// scope.
Definition find_next(const Module& caller, const Request& request) {
  const load::ScopeChain* chain = __atomic_load_n(&caller.scopes, __ATOMIC_ACQUIRE);
  for (std::uint32_t i = 0; chain != nullptr && i < chain->count; ++i) {
    const load::ModuleList* list = chain->scopes[i]->read();
    if (list == nullptr || chain->scopes[i] == &caller.own) continue;
    for (std::uint32_t at = 0; at < list->count; ++at)
      if (list->modules[at] == &caller) return scope::find_in_list(list, request, at + 1);
  }
  return {};
}

Error undefined(const Module* where, const char* name, const char* version) {
  return {.code = Code::undefined_symbol,
          .object = where == nullptr ? "" : where->display,
          .subject = name,
          .detail = version};
}

/// Looks a name up for the module at `caller_address`, which is written to `caller` where it is
/// asked for. nullptr in the definition: `error` says why.
Definition look_up(Runtime& runtime,
                   void* handle,
                   const Request& request,
                   std::uintptr_t caller_address,
                   Module*& caller,
                   Error& error) {
  const char* version = request.version == nullptr ? nullptr : request.version->name;
  if (handle != kDefault && handle != kNext) {
    const Module* m = module_of_handle(handle);
    if (m == nullptr) {
      caller = module_at(caller_address);
      error = {.code = Code::invalid_handle,
               .object = (caller == nullptr ? runtime.program : caller)->display,
               .value = reinterpret_cast<std::uintptr_t>(handle)};
      return {};
    }
    Definition d = scope::find_in_list(scope_of(*m).read(), request);
    if (!d) error = undefined(m, request.name, version);
    return d;
  }
  caller = module_at(caller_address);
  if (handle == kNext && caller == nullptr) {
    error = {.code = Code::next_without_caller, .object = runtime.program->display};
    return {};
  }
  const Module* from = caller == nullptr ? runtime.program : caller;
  Definition d = handle == kNext
                     ? find_next(*from, request)
                     : scope::find(__atomic_load_n(&from->scopes, __ATOMIC_ACQUIRE), request);
  if (!d) error = undefined(from, request.name, version);
  return d;
}

/// A list that was asked so much that a table of its names may pay, or nullptr.
load::ModuleList* asked_enough(const Scope& scope) {
  load::ModuleList* list = scope.read();
  return scope::asked_enough(list) ? list : nullptr;
}

/// Has a list of those that such a call reads been asked enough?
bool asked_enough(const Runtime& runtime, void* handle, const Module* caller) {
  if (handle == kNext) return false;
  if (handle != kDefault) {
    const Module* m = module_of_handle(handle);
    return m != nullptr && asked_enough(scope_of(*m)) != nullptr;
  }
  const Module& from = caller == nullptr ? *runtime.program : *caller;
  const load::ScopeChain* chain = __atomic_load_n(&from.scopes, __ATOMIC_ACQUIRE);
  for (std::uint32_t i = 0; chain != nullptr && i < chain->count; ++i)
    if (asked_enough(*chain->scopes[i]) != nullptr) return true;
  return false;
}

/// Makes tables for the lists that such a call reads, unless a thread is about to change them.
void consider_indexes(Runtime& runtime, void* handle, std::uintptr_t caller_address) {
  if (!runtime.load_lock->try_lock()) return;
  auto consider = [](const Scope& scope) {
    if (load::ModuleList* list = asked_enough(scope)) scope::consider_index(*list);
  };
  if (handle != kDefault) {
    if (const Module* m = module_of_handle(handle)) consider(scope_of(*m));
  } else {
    const Module* caller = module_at(caller_address);
    const load::ScopeChain* chain = (caller == nullptr ? runtime.program : caller)->scopes;
    for (std::uint32_t i = 0; chain != nullptr && i < chain->count; ++i)
      consider(*chain->scopes[i]);
  }
  runtime.load_lock->unlock();
}

void* thread_local_address(const Definition& d, const char* name) {
  const elf::Phdr* tls = d.module->image.segments.tls;
  if (tls == nullptr || d.symbol->st_value > tls->p_memsz) {
    set_error({.code = Code::bad_symbol_value,
               .object = d.module->display,
               .subject = name,
               .value = d.symbol->st_value});
    return nullptr;
  }
  auto* block = static_cast<char*>(tls::block_of(*d.module));
  return block == nullptr ? nullptr : block + d.symbol->st_value;
}

}  // namespace

void* symbol(void* handle, const char* name, const char* version, std::uintptr_t caller) {
  Runtime& runtime = the_runtime();
  clear_error();
  elf::Version wanted{.name = version, .hash = version == nullptr ? 0 : scope::sysv_hash(version)};
  Request request =
      Request::of(name, version == nullptr ? nullptr : &wanted, scope::Purpose::address);
  request.newest = version == nullptr;
  request.hidden_version_ok = version != nullptr;
  Definition d;
  Module* user = nullptr;
  Error error;
  bool note = false, tired = false;
  {
    ReadSection section;
    d = look_up(runtime, handle, request, caller, user, error);
    tired = asked_enough(runtime, handle, user);
    if (!d) {
      set_error(error);  // while the names it points to are sure to be there
    } else {
      if (log::wants(log::kBindings)) {
        // A handle's own search is told as if the module itself had asked.
        bool has_handle = handle != kDefault && handle != kNext;
        const Module* from = has_handle ? module_of_handle(handle) : user;
        scope::log_binding(from == nullptr ? *runtime.program : *from, d, request, false);
      }
      if (elf::sym_binding(*d.symbol) == STB_GNU_UNIQUE) d = scope::unique(name, d);
      if (elf::sym_type(*d.symbol) == STT_TLS) return thread_local_address(d, name);
      note = handle == kDefault && user != nullptr && needs_note(*user, *d.module);
    }
  }
  if (tired) [[unlikely]]
    consider_indexes(runtime, handle, caller);
  if (!d) return nullptr;
  if (note) {
    LoadGuard guard(runtime);
    d = look_up(runtime, handle, request, caller, user, error);
    if (d && user != nullptr && !relocate::add_dependency(*user, *d.module)) {
      error = {.code = Code::out_of_memory, .object = user->display};
      d = {};
    }
    if (!d) {
      set_error(error);
      return nullptr;
    }
  }
  auto address = relocate::address_of(runtime, d);
  if (!address) {
    set_error(address.error());
    return nullptr;
  }
  std::uintptr_t value = address.value();
  if (runtime.audit.active()) {
    if (user == nullptr) user = module_at(caller);
    value =
        audit::bound_by_dlsym(runtime.audit, user == nullptr ? *runtime.program : *user, d, value);
  }
  return reinterpret_cast<void*>(value);
}

}  // namespace myld::dlopen
