// The private part of a link_map: what libc, libthread_db and profilers read of a module, and the
// lists that libc walks.
#include "rtld/glibc/adapter.hpp"
#include "rtld/glibc/record.hpp"
#include "rtld/glibc/storage.hpp"
#include "rtld/tls/tls.hpp"

namespace myld::glibc {
namespace {

using load::Module;

/// struct libname_list: __libc_freeres follows it, so every map has one.
struct LibName {
  const char* name;
  LibName* next;
  int dont_free;
};

/// Index of a tag in l_info: small tags first, then the processor's, versions, extra, value and
/// address tags, the last of which is DT_GNU_HASH. -1: not kept.
int info_index(const Layout& l, std::int64_t tag) {
  if (tag >= 0 && tag < DT_RELRENT + 1) return static_cast<int>(tag);
  if (tag == DT_VERSYM) return l.link_map.l_info_versym_index;
  if (tag == DT_GNU_HASH) return l.link_map.l_info_gnu_hash_index;
  return -1;
}

void relocate_dynamic(const Module& m) {
  for (std::uint32_t i = 0; i < m.image.dynamic_count; ++i) {
    elf::Dyn& d = m.image.dynamic[i];
    if (elf::is_address_tag(d.d_tag)) d.d_un.d_ptr += m.image.bias.value;
  }
}

void fill_info(const Layout& l, const Record& map, const Module& m) {
  auto* info = static_cast<elf::Dyn**>(map.at(l.link_map.l_info));
  for (std::uint32_t i = 0; i < m.image.dynamic_count; ++i) {
    int index = info_index(l, m.image.dynamic[i].d_tag);
    if (index >= 0 && index < l.link_map.l_info_count) info[index] = &m.image.dynamic[i];
  }
}

void fill_hash(const Layout& l, const Record& map, const Module& m) {
  const elf::GnuHash& h = m.image.gnu_hash;
  if (h.bucket_count != 0) {
    map.put<std::uint32_t>(l.link_map.l_nbuckets, h.bucket_count);
    map.put(l.link_map.l_gnu_buckets, h.buckets);
    map.put(l.link_map.l_gnu_chain_zero, h.chain - h.first);
  } else if (m.image.sysv_hash.bucket_count != 0) {
    map.put<std::uint32_t>(l.link_map.l_nbuckets, m.image.sysv_hash.bucket_count);
    map.put(l.link_map.l_buckets, m.image.sysv_hash.buckets);
    map.put(l.link_map.l_chain, m.image.sysv_hash.chain());
  }
}

void fill_tls(const Layout& l, const Record& map, const Module& m) {
  constexpr std::int64_t kForcedDynamic = -1;
  const elf::Phdr* t = m.image.segments.tls;
  map.put<std::uint64_t>(l.link_map.l_tls_modid, m.tls.module_id);
  if (t == nullptr || m.tls.module_id == 0) return;
  map.put(l.link_map.l_tls_initimage, m.image.at<const void>({t->p_vaddr}));
  map.put<std::uint64_t>(l.link_map.l_tls_initimage_size, t->p_filesz);
  map.put<std::uint64_t>(l.link_map.l_tls_blocksize, t->p_memsz);
  map.put<std::uint64_t>(l.link_map.l_tls_align, t->p_align);
  map.put<std::uint64_t>(l.link_map.l_tls_firstbyte_offset,
                         t->p_align == 0 ? 0 : t->p_vaddr & (t->p_align - 1));
  // Distance from the thread pointer, positive on every ISA.
  std::int64_t distance =
      arch::Port::kTlsVariant == arch::TlsVariant::ii ? -m.tls.tp_offset : m.tls.tp_offset;
  map.put<std::int64_t>(l.link_map.l_tls_offset, m.tls.is_static ? distance : kForcedDynamic);
}

std::uint8_t map_type(const Module& m) {
  constexpr std::uint8_t kExecutable = 0, kLibrary = 1, kLoaded = 2;
  return m.is_program ? kExecutable : m.from_start ? kLibrary : kLoaded;
}

// ---- the list of TLS modules that libthread_db reads ------------------------------------------

struct SlotInfo {
  std::uint64_t generation;
  void* map;
};
struct SlotInfoList {
  std::uint64_t length;
  SlotInfoList* next;
  SlotInfo slots[];
};
constexpr std::uint64_t kSlotsInNode = 64;
constinit SlotInfoList* g_slot_list = nullptr;

SlotInfoList* new_node() {
  auto* node = static_cast<SlotInfoList*>(
      heap::allocate(sizeof(SlotInfoList) + kSlotsInNode * sizeof(SlotInfo)));
  if (node != nullptr) node->length = kSlotsInNode;
  return node;
}

/// The entry of a module ID; nodes are added as needed. nullptr: no memory.
SlotInfo* slot_info(std::uint64_t id) {
  if (g_slot_list == nullptr) {
    g_slot_list = new_node();
    Record(_rtld_global).put(g_adapter.layout->rtld_global._dl_tls_dtv_slotinfo_list, g_slot_list);
  }
  SlotInfoList* node = g_slot_list;
  for (; node != nullptr && id >= node->length; node = node->next) {
    id -= node->length;
    if (node->next == nullptr) node->next = new_node();
  }
  return node == nullptr ? nullptr : &node->slots[id];
}

}  // namespace

void slots_changed(std::uint64_t id) {
  const tls::State& s = the_runtime().tls;
  // A debugger that does not see the entry cannot print that module's thread-local variables;
  // nothing else reads the list.
  SlotInfo* slot = slot_info(id);
  if (slot == nullptr) return;
  Module* m = id < s.slots.size() ? s.slots[id].module : nullptr;
  slot->generation = id < s.slots.size() ? s.slots[id].generation : s.generation;
  slot->map = m == nullptr ? nullptr : m->link_map;
  if (m != nullptr && m->link_map != nullptr) fill_tls(*g_adapter.layout, Record(m->link_map), *m);
  Record global(_rtld_global);
  const auto& l = g_adapter.layout->rtld_global;
  global.put<std::uint64_t>(l._dl_tls_max_dtv_idx, s.slots.empty() ? 0 : s.slots.size() - 1);
  global.put<std::uint64_t>(l._dl_tls_generation, s.generation);
}

void fill_link_map(Runtime& runtime, Module& m) {
  const Layout& l = *g_adapter.layout;
  Record map(m.link_map);
  bool writable = elf::dynamic_is_writable(m.image.segments) && !m.is_loader;
  if (writable && !m.in_image) relocate_dynamic(m);
  map.put(l.link_map.l_real, m.link_map);
  map.put<std::int64_t>(l.link_map.l_ns, m.ns->id);
  if (auto* name = static_cast<LibName*>(heap::allocate(sizeof(LibName)))) {
    *name = {m.image.soname != nullptr ? m.image.soname : m.path, nullptr, 1};
    map.put(l.link_map.l_libname, name);
  }
  fill_info(l, map, m);
  fill_hash(l, map, m);
  map.put(l.link_map.l_phdr, m.headers);
  map.put<std::uint16_t>(l.link_map.l_phnum,
                         static_cast<std::uint16_t>(m.image.segments.phdrs.size()));
  map.put<std::uint16_t>(l.link_map.l_ldnum, static_cast<std::uint16_t>(m.image.dynamic_count + 1));
  map.put(l.link_map.l_type, map_type(m));
  map.put(l.link_map.l_relocated, 1);
  map.put(l.link_map.l_init_called, 1);
  map.put(l.link_map.l_global, m.global ? 1 : 0);
  map.put(l.link_map.l_main_map, m.is_program ? 1 : 0);
  map.put(l.link_map.l_contiguous, 1);
  map.put(l.link_map.l_ld_readonly, writable ? 0 : 1);
  map.put<std::uint64_t>(l.link_map.l_map_start, m.mapping.start.value);
  map.put<std::uint64_t>(l.link_map.l_map_end, m.mapping.start.value + m.mapping.bytes);
  if (const elf::Phdr* relro = m.image.segments.relro) {
    map.put<std::uint64_t>(l.link_map.l_relro_addr, relro->p_vaddr);
    map.put<std::uint64_t>(l.link_map.l_relro_size, relro->p_memsz);
  }
  fill_tls(l, map, m);
  if (m.tls.module_id != 0) slots_changed(m.tls.module_id);
  static_cast<void>(runtime);
}

void release_link_map_tail(Runtime&, Module& m) {
  auto* name = Record(m.link_map).get<LibName*>(g_adapter.layout->link_map.l_libname);
  heap::release(name, sizeof(LibName));
}

bool has_pending_destructors(const Module& m) {
  const Layout& l = *g_adapter.layout;
  if (m.link_map == nullptr) return false;
  auto* count = static_cast<std::uint64_t*>(Record(m.link_map).at(l.link_map.l_tls_dtor_count));
  return count != nullptr && __atomic_load_n(count, __ATOMIC_ACQUIRE) != 0;
}

void namespace_changed(Runtime& runtime, load::Namespace& ns) {
  const Layout& l = *g_adapter.layout;
  Record global(_rtld_global);
  // The release has room for this many; modules of further namespaces work, but libc's
  // dl_iterate_phdr cannot enumerate them.
  std::uint64_t room = (l.rtld_global._dl_nns - l.rtld_global._dl_ns) / l.link_namespaces.size;
  std::uint64_t count = runtime.namespaces.size() < room ? runtime.namespaces.size() : room;
  if (static_cast<std::uint64_t>(ns.id) < room) {
    auto* slot = static_cast<std::byte*>(global.at(l.rtld_global._dl_ns)) +
                 static_cast<std::size_t>(ns.id) * l.link_namespaces.size;
    Record entry(slot);
    load::LinkMap* first = ns.modules.empty() ? nullptr : ns.modules[0]->link_map;
    entry.put(l.link_namespaces._ns_loaded, first);
    entry.put<std::uint32_t>(l.link_namespaces._ns_nloaded, ns.chained);
    entry.put(l.link_namespaces.libc_map, ns.libc == nullptr ? nullptr : ns.libc->link_map);
  }
  global.put<std::uint64_t>(l.rtld_global._dl_nns, count);
  global.put<std::uint64_t>(l.rtld_global._dl_load_adds, runtime.loader.adds);
}

}  // namespace myld::glibc
