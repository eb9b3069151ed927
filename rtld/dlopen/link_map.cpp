// The link_map of a module: what the world sees of it, and what dlopen returns as its handle.
#include "loader/base/mem.hpp"
#include "rtld/dlopen/dlfcn.hpp"

namespace myld::dlopen {

namespace {

// link_maps lie close to each other, and not where each was made: who walks the chain
// (dl_iterate_phdr, and so every exception of older compilers) touches as few pages as may be. They
// come in lots, and go back to a list of their own.
constexpr std::size_t kLotBytes = 8192, kMostInLot = 6;

struct FreeMap {
  FreeMap* next;
};
constinit FreeMap* g_free = nullptr;  // under the load lock

std::size_t room_for_map(std::size_t bytes) { return round_up(bytes, 16); }

bool take_lot(std::size_t room) {
  std::size_t count = kLotBytes / room < kMostInLot ? kLotBytes / room : kMostInLot;
  if (count == 0) count = 1;
  auto* lot = static_cast<std::byte*>(heap::allocate_unfilled(count * room));
  if (lot == nullptr) return false;
  while (count-- > 0) {
    auto* map = reinterpret_cast<FreeMap*>(lot + count * room);
    map->next = g_free;
    g_free = map;
  }
  return true;
}

load::LinkMap* take_map(std::size_t bytes) {
  // The start may have made some for another ABI, which are not given back.
  static constinit std::size_t bytes_of_all = 0;
  if (bytes != bytes_of_all) g_free = nullptr;
  bytes_of_all = bytes;
  if (g_free == nullptr && !take_lot(room_for_map(bytes))) return nullptr;
  FreeMap* map = g_free;
  g_free = map->next;
  memset(static_cast<void*>(map), 0, bytes);
  return reinterpret_cast<load::LinkMap*>(map);
}

void give_back(load::LinkMap* map) {
  auto* free = reinterpret_cast<FreeMap*>(map);
  free->next = g_free;
  g_free = free;
}

}  // namespace

bool make_link_map(Runtime& runtime, Module& m) {
  if (m.link_map != nullptr) return true;
  load::LinkMap* map = take_map(runtime.abi->link_map_bytes);
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
  give_back(m.link_map);
  m.link_map = nullptr;
}

}  // namespace myld::dlopen
