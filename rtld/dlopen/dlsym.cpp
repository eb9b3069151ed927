// dlsym(3), dlvsym(3).
#include "arch/vector_state.hpp"
#include "loader/base/mem.hpp"
#include "loader/sys/log.hpp"
#include "rtld/dlopen/dlfcn.hpp"
#include "rtld/dlopen/object_index.hpp"
#include "rtld/entry.hpp"
#include "rtld/relocate/relocate.hpp"

namespace myld::dlopen {
namespace {

using scope::Definition;
using scope::Request;

void* const kDefault = nullptr;
void* const kNext = reinterpret_cast<void*>(std::intptr_t{-1});

/// The list that a handle of `m` stands for: the program's is the global scope of its namespace.
const load::ModuleList* list_of(const Module& m) {
  if (&m == m.ns->program) return m.ns->global.read();
  return m.group.read();
}

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

Result<Definition>
look_up(Runtime& runtime, void* handle, const Request& request, std::uintptr_t caller_address) {
  const char* version = request.version == nullptr ? nullptr : request.version->name;
  Module* caller = module_at(caller_address);
  if (handle == kNext) {
    if (caller == nullptr)
      return Error{.code = Code::next_without_caller, .object = runtime.program->display};
    Definition d = find_next(*caller, request);
    if (!d) return undefined(caller, request.name, version);
    return d;
  }
  if (caller == nullptr) caller = runtime.program;
  if (handle == kDefault) {
    Definition d = scope::find(__atomic_load_n(&caller->scopes, __ATOMIC_ACQUIRE), request);
    if (!d) return undefined(caller, request.name, version);
    return d;
  }
  Module* m = module_of_handle(handle);
  if (m == nullptr)
    return Error{.code = Code::invalid_handle,
                 .object = caller->display,
                 .value = reinterpret_cast<std::uintptr_t>(handle)};
  Definition d = scope::find_in_list(list_of(*m), request);
  if (!d) return undefined(m, request.name, version);
  return d;
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
  bool note = false;
  {
    ReadSection section;
    auto found = look_up(runtime, handle, request, caller);
    if (!found) {
      set_error(found.error());  // while the names it points to are sure to be there
      return nullptr;
    }
    d = found.value();
    if (log::wants(log::kBindings)) {
      // A handle's own search is told as if the module itself had asked.
      bool has_handle = handle != kDefault && handle != kNext;
      const Module* from = has_handle ? module_of_handle(handle) : module_at(caller);
      scope::log_binding(from == nullptr ? *runtime.program : *from, d, request, false);
    }
    if (elf::sym_binding(*d.symbol) == STB_GNU_UNIQUE) d = scope::unique(name, d);
    if (elf::sym_type(*d.symbol) == STT_TLS) return thread_local_address(d, name);
    const Module* user = module_at(caller);
    note = handle == kDefault && user != nullptr && needs_note(*user, *d.module);
  }
  if (note) {
    LoadGuard guard(runtime);
    auto found = look_up(runtime, handle, request, caller);
    Module* user = module_at(caller);
    if (found && user != nullptr && !relocate::add_dependency(*user, *found.value().module))
      found = Error{.code = Code::out_of_memory, .object = user->display};
    if (!found) {
      set_error(found.error());
      return nullptr;
    }
    d = found.value();
  }
  auto address = relocate::address_of(runtime, d);
  if (!address) {
    set_error(address.error());
    return nullptr;
  }
  std::uintptr_t value = address.value();
  if (runtime.audit.active()) {
    Module* user = module_at(caller);
    value =
        audit::bound_by_dlsym(runtime.audit, user == nullptr ? *runtime.program : *user, d, value);
  }
  return reinterpret_cast<void*>(value);
}

}  // namespace myld::dlopen
