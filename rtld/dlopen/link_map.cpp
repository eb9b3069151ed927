// The link_map of a module: what the world sees of it, and what dlopen returns as its handle.
#include "loader/base/mem.hpp"
#include "rtld/dlopen/dlfcn.hpp"

namespace myld::dlopen {

bool make_link_map(Runtime& runtime, Module& m) {
  if (m.link_map != nullptr) return true;
  std::size_t bytes = runtime.abi->link_map_bytes;
  auto* map = static_cast<load::LinkMap*>(heap::allocate(bytes));
  if (map == nullptr) return false;
  map->l_addr = m.mapping.bias.value;
  map->l_name = m.path;
  map->l_ld = m.image.dynamic;
  m.link_map = map;
  if (runtime.abi->module_added != nullptr) runtime.abi->module_added(runtime, m);
  return true;
}

void release_link_map(Runtime& runtime, Module& m) {
  if (m.link_map == nullptr) return;
  audit::release(m);
  if (runtime.abi->module_removed != nullptr) runtime.abi->module_removed(runtime, m);
  heap::release(m.link_map, runtime.abi->link_map_bytes);
  m.link_map = nullptr;
}

}  // namespace myld::dlopen
