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

/// RTLD_NEXT goes on in the list that the caller was loaded with: of an opened module its group,
/// also where that was opened global (what it needs comes after it there, and not in the global
/// scope, which has libc.so.6 long before); of the others the global scope.
Definition find_next(const Module& caller, const Request& request) {
  const load::ScopeChain* chain = __atomic_load_n(&caller.scopes, __ATOMIC_ACQUIRE);
  const load::Scope* global = nullptr;
  auto after_caller = [&](const load::Scope& scope, Definition& d) {
    const load::ModuleList* list = scope.read();
    for (std::uint32_t at = 0; list != nullptr && at < list->count; ++at)
      if (list->modules[at] == &caller) {
        d = scope::find_best_in_list(list, request, at + 1);
        return true;
      }
    return false;
  };
  Definition d;
  for (std::uint32_t i = 0; chain != nullptr && i < chain->count; ++i) {
    const load::Scope* scope = chain->scopes[i];
    if (scope == &caller.ns->global)
      global = scope;
    else if (scope != &caller.own && after_caller(*scope, d))
      return d;
  }
  if (global != nullptr) after_caller(*global, d);
  return d;
}

/// The program is who asks most, and needs no search.
Module* module_of_caller(const Runtime& runtime, std::uintptr_t address) {
  return runtime.program->contains(address) ? runtime.program : module_at(address);
}

/// What is known of a call besides its result.
struct Query {
  Module* caller = nullptr;           ///< where it was asked for
  const Module* where = nullptr;      ///< whose scopes or group were searched
  Code why = Code::undefined_symbol;  ///< if there is no definition
  bool tired = false;  ///< a list was asked so much that a table of its names may pay
};

/// Why there is no definition. Made where it is wanted, so that a call that finds its symbol does
/// not pay for it. Needs: a read section, or the load lock, that the look-up was made in.
[[gnu::cold, gnu::noinline]] Error
error_of(const Runtime& runtime, const void* handle, const Request& request, const Query& query) {
  if (query.why != Code::undefined_symbol)
    return {.code = query.why,
            .object = (query.caller == nullptr ? runtime.program : query.caller)->display,
            .value = reinterpret_cast<std::uintptr_t>(handle)};
  return {.code = Code::undefined_symbol,
          .object = query.where->display,
          .subject = request.name,
          .detail = request.version == nullptr ? nullptr : request.version->name};
}

Definition look_up_in_handle(const void* handle,
                             const Request& request,
                             std::uintptr_t caller_address,
                             Query& query) {
  const Module* m = module_of_handle(handle);
  if (m == nullptr) [[unlikely]] {
    query.caller = module_at(caller_address);
    query.why = Code::invalid_handle;
    return {};
  }
  query.where = m;
  const load::ModuleList* list = scope_of(*m).read();
  query.tired = scope::asked_enough(list);
  return scope::find_best_in_list(list, request);
}

Definition look_up_for_caller(const Runtime& runtime,
                              const void* handle,
                              const Request& request,
                              std::uintptr_t caller_address,
                              Query& query) {
  query.caller = module_of_caller(runtime, caller_address);
  if (handle == kNext && query.caller == nullptr) {
    query.why = Code::next_without_caller;
    return {};
  }
  const Module* from = query.caller == nullptr ? runtime.program : query.caller;
  query.where = from;
  if (handle == kNext) return find_next(*from, request);
  const load::ScopeChain* chain = __atomic_load_n(&from->scopes, __ATOMIC_ACQUIRE);
  for (std::uint32_t i = 0; chain != nullptr && i < chain->count; ++i)
    query.tired = query.tired || scope::asked_enough(chain->scopes[i]->read());
  return scope::find(chain, request);
}

[[gnu::always_inline]] inline Definition look_up(const Runtime& runtime,
                                                 const void* handle,
                                                 const Request& request,
                                                 std::uintptr_t caller_address,
                                                 Query& query) {
  return handle == kDefault || handle == kNext
             ? look_up_for_caller(runtime, handle, request, caller_address, query)
             : look_up_in_handle(handle, request, caller_address, query);
}

/// Makes tables for the lists that such a call reads, unless a thread is about to change them.
void consider_indexes(Runtime& runtime, void* handle, std::uintptr_t caller_address) {
  if (!runtime.load_lock->try_lock()) return;
  auto consider = [](const Scope& scope) {
    if (load::ModuleList* list = scope.read(); scope::asked_enough(list))
      scope::consider_index(*list);
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
  auto* block = static_cast<char*>(tls::block_of(d.module->tls.module_id));
  return block == nullptr ? nullptr : block + d.symbol->st_value;
}

/// LD_DEBUG=bindings. A handle's own search is told as if the module itself had asked.
[[gnu::cold, gnu::noinline]] void tell_binding(const Runtime& runtime,
                                               const void* handle,
                                               const Request& request,
                                               const Query& query,
                                               const Definition& d) {
  bool has_handle = handle != kDefault && handle != kNext;
  const Module* from = has_handle ? module_of_handle(handle) : query.caller;
  scope::log_binding(from == nullptr ? *runtime.program : *from, d, request, false);
}

/// Looks up again under the load lock, and notes that the caller is bound to what is found. An
/// error is kept for dlerror(), and there is no definition then.
[[gnu::noinline]] Definition look_up_and_note(Runtime& runtime,
                                              const void* handle,
                                              const Request& request,
                                              std::uintptr_t caller) {
  LoadGuard guard(runtime);
  Query query;
  Definition d = look_up(runtime, handle, request, caller, query);
  if (!d) {
    set_error(error_of(runtime, handle, request, query));
  } else if (query.caller != nullptr && !relocate::add_dependency(*query.caller, *d.module)) {
    set_error({.code = Code::out_of_memory, .object = query.caller->display});
    d = {};
  }
  return d;
}

/// What dlsym returns for a definition that is there to stay.
void* value_of(Runtime& runtime, const Definition& d, std::uintptr_t caller) {
  std::uintptr_t value;
  if (!relocate::plain_address_of(d, value)) {
    auto address = relocate::address_of(runtime, d);
    if (!address) {
      set_error(address.error());
      return nullptr;
    }
    value = address.value();
  }
  if (runtime.audit.active()) [[unlikely]] {
    Module* user = module_at(caller);
    value =
        audit::bound_by_dlsym(runtime.audit, user == nullptr ? *runtime.program : *user, d, value);
  }
  return reinterpret_cast<void*>(value);
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
  Query query;
  bool note = false;
  {
    ReadSection section;
    d = look_up(runtime, handle, request, caller, query);
    if (!d) {
      // While the names that it points to are sure to be there.
      set_error(error_of(runtime, handle, request, query));
    } else {
      if (log::wants(log::kBindings)) tell_binding(runtime, handle, request, query, d);
      if (elf::sym_binding(*d.symbol) == STB_GNU_UNIQUE) d = scope::unique(name, d);
      if (elf::sym_type(*d.symbol) == STT_TLS) return thread_local_address(d, name);
      note = handle == kDefault && query.caller != nullptr && needs_note(*query.caller, *d.module);
    }
  }
  if (query.tired) [[unlikely]]
    consider_indexes(runtime, handle, caller);
  if (note) [[unlikely]]
    d = look_up_and_note(runtime, handle, request, caller);
  return d ? value_of(runtime, d, caller) : nullptr;
}

}  // namespace myld::dlopen
