#include "rtld/debug/r_debug.hpp"

#include "rtld/runtime.hpp"

extern "C" {
[[gnu::visibility("default")]] constinit myld::debug::RDebug _r_debug = {};

// noinline and not empty for the compiler: gdb's breakpoint must be reached by a call.
[[gnu::visibility("default"), gnu::noinline]] void _dl_debug_state() { asm volatile(""); }
}

namespace myld::debug {
namespace {

void put_in_dynamic(const load::Module& m, const RDebug* value) {
  for (std::uint32_t i = 0; i < m.image.dynamic_count; ++i)
    if (m.image.dynamic[i].d_tag == DT_DEBUG)
      m.image.dynamic[i].d_un.d_ptr = reinterpret_cast<std::uintptr_t>(value);
}

bool is_writable(const load::Module& m) {
  const elf::Phdr* d = m.image.segments.dynamic;
  const elf::Phdr* load = d == nullptr ? nullptr : m.image.segments.find({d->p_vaddr}, 1);
  return load != nullptr && (load->p_flags & PF_W) != 0;
}

}  // namespace

RDebug* r_debug_of(const load::Namespace& ns) {
  if (ns.id == 0) return &_r_debug;
  return reinterpret_cast<RDebug*>(ns.r_debug);
}

void publish(Runtime& runtime) {
  _r_debug.r_version = 1;
  _r_debug.r_brk = reinterpret_cast<std::uintptr_t>(&_dl_debug_state);
  _r_debug.r_ldbase = runtime.loader.self->mapping.bias.value;
  if (is_writable(*runtime.program)) put_in_dynamic(*runtime.program, &_r_debug);
}

void link(load::Namespace& ns, load::Module& m) {
  load::LinkMap* last = ns.chain_last;
  m.link_map->l_prev = last;
  m.link_map->l_next = nullptr;
  ns.chain_last = m.link_map;
  ++ns.chained;
  // Readers walk the chain without a lock: the new end appears by one store.
  if (last != nullptr)
    __atomic_store_n(&last->l_next, m.link_map, __ATOMIC_RELEASE);
  else if (RDebug* r = r_debug_of(ns))
    __atomic_store_n(&r->r_map, m.link_map, __ATOMIC_RELEASE);
}

void unlink(load::Namespace& ns, load::Module& m) {
  load::LinkMap* l = m.link_map;
  --ns.chained;
  if (l->l_prev != nullptr)
    __atomic_store_n(&l->l_prev->l_next, l->l_next, __ATOMIC_RELEASE);
  else if (RDebug* r = r_debug_of(ns))
    __atomic_store_n(&r->r_map, l->l_next, __ATOMIC_RELEASE);
  if (l->l_next != nullptr)
    l->l_next->l_prev = l->l_prev;
  else
    ns.chain_last = l->l_prev;
}

void chain(load::Namespace& ns) {
  RDebug* last = &_r_debug;
  while (last->r_next != nullptr) last = last->r_next;
  // Version 2 says that r_next is there; gdb reads it only then.
  _r_debug.r_version = 2;
  __atomic_store_n(&last->r_next, r_debug_of(ns), __ATOMIC_RELEASE);
}

void unchain(load::Namespace& ns) {
  RDebug* own = r_debug_of(ns);
  for (RDebug* r = &_r_debug; r != nullptr; r = r->r_next)
    if (r->r_next == own) r->r_next = own->r_next;
}

void announce(load::Namespace& ns, State state) {
  RDebug* r = r_debug_of(ns);
  if (r == nullptr) return;
  r->r_state = state;
  _dl_debug_state();
}

}  // namespace myld::debug
