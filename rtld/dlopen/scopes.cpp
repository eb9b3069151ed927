#include "rtld/dlopen/scopes.hpp"

namespace myld::dlopen {

load::ScopeChain* make_chain(std::span<load::Scope* const> scopes) {
  auto* chain = static_cast<load::ScopeChain*>(
      heap::allocate(sizeof(load::ScopeChain) + scopes.size() * sizeof(load::Scope*)));
  if (chain == nullptr) return nullptr;
  chain->count = static_cast<std::uint32_t>(scopes.size());
  for (std::size_t i = 0; i < scopes.size(); ++i) chain->scopes[i] = scopes[i];
  return chain;
}

void release_chain(load::ScopeChain* chain) {
  if (chain != nullptr)
    heap::release(chain, sizeof(load::ScopeChain) + chain->count * sizeof(load::Scope*));
}

bool make_group(Module& root) {
  if (root.group.list != nullptr) return true;
  Vec<Module*> members;
  if (!load::breadth_first(root, members)) return false;
  load::interposers_first({members.begin(), members.size()});
  load::ModuleList* list = load::make_list(members.span());
  // A module that others brought has a handle already, which another thread may ask.
  __atomic_store_n(&root.group.list, list, __ATOMIC_RELEASE);
  return list != nullptr;
}

bool make_scopes(Module& m, load::Scope* group, bool deep) {
  load::Scope* list[3];
  std::uint32_t n = 0;
  if (m.image.symbolic) {
    Module* self = &m;
    if (m.own.list == nullptr) m.own.list = load::make_list({&self, 1});
    if (m.own.list == nullptr) return false;
    list[n++] = &m.own;
  }
  if (deep && group != nullptr) list[n++] = group;
  list[n++] = &m.ns->global;
  if (!deep && group != nullptr) list[n++] = group;
  load::ScopeChain* chain = make_chain({list, n});
  if (chain == nullptr) return false;
  m.scopes = chain;
  return true;
}

}  // namespace myld::dlopen
