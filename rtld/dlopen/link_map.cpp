// The link_map of a module: what the world sees of it, and what dlopen returns as its handle.
#include "loader/base/mem.hpp"
#include "rtld/dlopen/dlfcn.hpp"

namespace myld::dlopen {

namespace {

// link_maps lie close to each other, and not where each was made: who walks the chain
// (dl_iterate_phdr, and so every exception of older compilers) touches as few pages as may be, at
// the same distance from one to the next. They come in lots, which are small until there are some,
// and go back to a list of their own. Lots are parts of the heap's chunks: they would each be a
// mapping that stays. A link_map begins with a line of the cache, so that what is read of it lies
// in few of them.
constexpr std::size_t kSmallLot = 2, kSmallLots = 8, kLotBytes = 65536, kLine = 64;

struct FreeMap {
  FreeMap* next;
};

/// Under the load lock.
struct Maps {
  std::size_t bytes = 0;  ///< of one
  FreeMap* free = nullptr;
  std::byte *next = nullptr, *end = nullptr;  ///< of the newest lot
  std::size_t lots = 0;
};
constinit Maps g_maps;

bool take_lot(std::size_t room) {
  void* lot = nullptr;
  std::size_t count = (kLotBytes - kLine) / room;
  if (g_maps.lots >= kSmallLots) lot = heap::carve(kLotBytes);
  if (lot == nullptr) {
    count = g_maps.lots < kSmallLots ? kSmallLot : (heap::kLargestInChunk - kLine) / room;
    lot = heap::allocate_unfilled(count * room + kLine);
  }
  if (lot == nullptr) return false;
  ++g_maps.lots;
  g_maps.next = reinterpret_cast<std::byte*>(
      round_up(reinterpret_cast<std::uintptr_t>(lot), std::uintptr_t{kLine}));
  g_maps.end = g_maps.next + count * room;
  return true;
}

load::LinkMap* take_map(std::size_t bytes) {
  // Those that the start may have made for another ABI are not given back.
  if (bytes != g_maps.bytes) g_maps = {.bytes = bytes};
  void* map = g_maps.free;
  if (map != nullptr) {
    g_maps.free = g_maps.free->next;
  } else {
    std::size_t room = round_up(bytes, kLine);
    if (g_maps.next == g_maps.end && !take_lot(room)) return nullptr;
    map = g_maps.next;
    g_maps.next += room;
  }
  memset(map, 0, bytes);
  return static_cast<load::LinkMap*>(map);
}

void give_back(load::LinkMap* map) {
  auto* free = reinterpret_cast<FreeMap*>(map);
  free->next = g_maps.free;
  g_maps.free = free;
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
