#include "rtld/tls/tls.hpp"

#include "arch/port.hpp"
#include "loader/base/mem.hpp"
#include "loader/sys/log.hpp"
#include "rtld/tls/segment.hpp"

namespace myld::tls {

constinit char g_out_of_memory[] = "out of memory";

void release_error_text(char*& text) {
  if (text != g_out_of_memory) release_string(text);
  text = nullptr;
}

namespace {

using Port = arch::Port;

constexpr std::uint64_t kSpareModules = 14;  // DTV entries beyond the modules there are

class Guard {
public:
  explicit Guard(sys::FutexLock& lock) : lock_(lock) { lock_.lock(); }
  ~Guard() { lock_.unlock(); }

private:
  sys::FutexLock& lock_;
};

DtvEntry*& dtv_slot(std::uintptr_t tp) {
  return *reinterpret_cast<DtvEntry**>(tp +
                                       static_cast<std::uintptr_t>(arch::kDtvFromThreadPointer));
}

/// Bytes of the heap block behind a dynamic TLS block: room to align it within.
std::size_t block_bytes(const Module& m) {
  std::uint64_t align = segment(m).p_align;
  return segment(m).p_memsz + (align > 16 ? align : 0) + 16;
}

/// What is in a block's memory before it is a block.
enum class Memory : std::uint8_t { zero, used };

/// Zeroes are not written over zeroes: gigabytes of them would be pages that nobody may ever use.
void copy_image(const Module& m, void* block, Memory memory) {
  const elf::Phdr& t = segment(m);
  if (t.p_filesz != 0) memcpy(block, m.image.at<const void>({t.p_vaddr}), t.p_filesz);
  if (memory == Memory::used)
    memset(static_cast<char*>(block) + t.p_filesz, 0, t.p_memsz - t.p_filesz);
}

/// Where the aligned block starts in the heap block `raw`.
std::uintptr_t aligned_block(const Module& m, void* raw) {
  auto at = reinterpret_cast<std::uintptr_t>(raw);
  std::uint64_t align = segment(m).p_align < 1 ? 1 : segment(m).p_align;
  return at + ((segment(m).p_vaddr - at) & (align - 1));
}

std::size_t dtv_bytes(std::uint64_t capacity) { return (capacity + 3) * sizeof(DtvEntry); }

DtvEntry* allocate_dtv(Thread& t, std::uint64_t capacity) {
  auto* memory = static_cast<DtvEntry*>(heap::allocate(dtv_bytes(capacity)));
  if (memory == nullptr) return nullptr;
  DtvEntry* dtv = memory + 2;
  dtv[-2].value = reinterpret_cast<std::uintptr_t>(&t);
  dtv[-1].value = capacity;
  return dtv;
}

void release_dtv(DtvEntry* dtv, std::uint64_t capacity) {
  heap::release(dtv - 2, dtv_bytes(capacity));
}

/// Makes room for module IDs up to `highest`. The thread may be reading its old DTV now: it is
/// given the new one by one store, and the old one is kept until the thread ends.
bool grow(Thread& t, std::uint64_t highest) {
  if (highest <= t.capacity) return true;
  std::uint64_t capacity = highest + kSpareModules + t.capacity;
  DtvEntry* dtv = allocate_dtv(t, capacity);
  auto** blocks = static_cast<void**>(heap::allocate((capacity + 1) * sizeof(void*)));
  if (dtv == nullptr || blocks == nullptr) {
    if (dtv != nullptr) release_dtv(dtv, capacity);
    heap::release(blocks, (capacity + 1) * sizeof(void*));
    return false;
  }
  memcpy(dtv, t.dtv, (t.capacity + 1) * sizeof(DtvEntry));
  memcpy(blocks, t.blocks, (t.capacity + 1) * sizeof(void*));
  heap::release(t.blocks, (t.capacity + 1) * sizeof(void*));
  // dtv[-2].to_free chains the DTVs that this one replaced.
  dtv[-2].to_free = t.dtv;
  t.dtv = dtv;
  t.capacity = capacity;
  t.blocks = blocks;
  __atomic_store_n(&dtv_slot(t.tp), dtv, __ATOMIC_RELEASE);
  return true;
}

/// Gives `t` its block of module `id`; `static_memory`: of the static blocks. Needs: the lock,
/// capacity.
bool fill(const State& s, Thread& t, std::uint64_t id, const Slot& slot, Memory static_memory) {
  if (slot.module == nullptr) {
    t.dtv[id].value = kNoBlock;
    return true;
  }
  Module& m = *slot.module;
  if (m.tls.is_static) {
    std::uintptr_t block = t.tp + static_cast<std::uintptr_t>(m.tls.tp_offset);
    copy_image(m, reinterpret_cast<void*>(block), static_memory);
    t.dtv[id] = {block, nullptr};
    return true;
  }
  Memory memory = Memory::used;
  if (t.blocks[id] == nullptr) {
    memory = Memory::zero;
    t.blocks[id] = heap::allocate(block_bytes(m));
    if (t.blocks[id] == nullptr) return false;
    if (s.block_made != nullptr) s.block_made(t.blocks[id], block_bytes(m));
  }
  std::uintptr_t block = aligned_block(m, t.blocks[id]);
  copy_image(m, reinterpret_cast<void*>(block), memory);
  t.dtv[id].to_free = nullptr;
  __atomic_store_n(&t.dtv[id].value, block, __ATOMIC_RELEASE);
  return true;
}

bool fill_all(State& s, Thread& t, Memory static_memory = Memory::used) {
  for (std::uint64_t id = 1; id < s.slots.size(); ++id)
    if (!fill(s, t, id, s.slots[id], static_memory)) return false;
  for (std::uint64_t id = s.slots.size() < 1 ? 1 : s.slots.size(); id <= t.capacity; ++id)
    t.dtv[id] = {kNoBlock, nullptr};
  t.dtv[0].value = s.generation;
  return true;
}

void release_block(const State& s, Thread& t, std::uint64_t id, const Module& m) {
  if (s.block_gone != nullptr) s.block_gone(t.blocks[id], block_bytes(m));
  heap::release(t.blocks[id], block_bytes(m));
  t.blocks[id] = nullptr;
}

void link(State& s, Thread& t) {
  t.next = &s.threads;
  t.previous = s.threads.previous;
  s.threads.previous->next = &t;
  s.threads.previous = &t;
  ++s.thread_count;
}

Thread* new_thread(State& s, std::uintptr_t tp) {
  auto* t = static_cast<Thread*>(heap::allocate(sizeof(Thread)));
  if (t == nullptr) return nullptr;
  std::uint64_t capacity = s.slots.size() + kSpareModules;
  DtvEntry* dtv = allocate_dtv(*t, capacity);
  auto** blocks = static_cast<void**>(heap::allocate((capacity + 1) * sizeof(void*)));
  if (dtv == nullptr || blocks == nullptr) {
    if (dtv != nullptr) release_dtv(dtv, capacity);
    heap::release(blocks, (capacity + 1) * sizeof(void*));
    heap::release(t, sizeof(Thread));
    return nullptr;
  }
  t->tp = tp;
  t->dtv = dtv;
  t->capacity = capacity;
  t->blocks = blocks;
  return t;
}

void release_errors(ErrorText& first) {
  release_error_text(first.text);
  release_error_text(first.reported);
  for (ErrorText* e = first.others; e != nullptr;) {
    ErrorText* next = e->others;
    release_error_text(e->text);
    release_error_text(e->reported);
    heap::release(e, sizeof *e);
    e = next;
  }
  first = {};
}

void free_thread(State& s, Thread& t) {
  heap::release(t.kept, sizeof(KeptError));
  for (std::uint64_t id = 1; id < s.slots.size() && id <= t.capacity; ++id)
    if (t.blocks[id] != nullptr && s.slots[id].module != nullptr)
      release_block(s, t, id, *s.slots[id].module);
  heap::release(t.blocks, (t.capacity + 1) * sizeof(void*));
  for (DtvEntry* dtv = t.dtv; dtv != nullptr;) {
    auto* older = static_cast<DtvEntry*>(dtv[-2].to_free);
    release_dtv(dtv, dtv[-1].value);
    dtv = older;
  }
  release_errors(t.error);
  heap::release(&t, sizeof(Thread));
}

Thread* thread_at(std::uintptr_t tp) {
  DtvEntry* dtv = dtv_slot(tp);
  return dtv == nullptr ? nullptr : reinterpret_cast<Thread*>(dtv[-2].value);
}

}  // namespace

void initialise(State& s) {
  s.layout = StaticLayout(Port::kTlsVariant, Port::kTcbReserve);
  s.threads.previous = s.threads.next = &s.threads;
}

namespace {

void log_assignment(const Module& m) {
  log::Line line;
  line << "tls: file=" << log::In{m.display, m.ns->id}
       << "; module=" << sys::Decimal{m.tls.module_id}
       << "; bytes=" << sys::Decimal{segment(m).p_memsz}
       << "; align=" << sys::Decimal{segment(m).p_align};
  if (!m.tls.is_static) return;
  bool below = m.tls.tp_offset < 0;
  auto distance = static_cast<std::uint64_t>(below ? -m.tls.tp_offset : m.tls.tp_offset);
  line << "; static, thread pointer " << (below ? "-" : "+") << sys::Hex{distance};
}

}  // namespace

Status assign(State& s, Module& m) {
  if (m.image.segments.tls == nullptr || segment(m).p_memsz == 0) return {};
  std::uint64_t id = s.lowest_free < 1 ? 1 : s.lowest_free;
  while (id < s.slots.size() && s.slots[id].module != nullptr) ++id;
  s.lowest_free = id + 1;
  while (s.slots.size() <= id)
    if (!s.slots.push({})) return Error{.code = Code::out_of_memory, .object = m.display};
  s.slots[id] = {&m, s.generation + 1};
  m.tls = {.module_id = id};
  if (!s.layout_final) {
    m.tls.is_static = true;
    m.tls.tp_offset = s.layout.place(shape(m));
  } else {
    use_optional_room(s, m);
  }
  if (log::wants(log::kTls)) log_assignment(m);
  if (s.slots_changed != nullptr) s.slots_changed(id);
  return {};
}

bool add_first_thread(State& s, std::uintptr_t tp) {
  Guard guard(s.lock);
  Thread* t = new_thread(s, tp);
  if (t == nullptr) return false;
  dtv_slot(tp) = t->dtv;
  link(s, *t);
  return true;
}

void initialise_first_thread(State& s, std::uintptr_t tp) {
  Guard guard(s.lock);
  // Start-up modules are all static: nothing is allocated, and the memory is as the kernel gave it.
  fill_all(s, *thread_at(tp), Memory::zero);
}

Status add_to_threads(State& s, std::span<Module* const> modules) {
  Guard guard(s.lock);
  std::uint64_t highest = 0;
  for (Module* m : modules)
    if (m->tls.module_id > highest) highest = m->tls.module_id;
  if (highest == 0) return {};
  for (Thread* t = s.threads.next; t != &s.threads; t = t->next) {
    bool ok = grow(*t, highest);
    for (Module* m : modules) {
      std::uint64_t id = m->tls.module_id;
      ok = ok && (id == 0 || fill(s, *t, id, s.slots[id], Memory::used));
      // What was filled before stays owned by the threads' records; remove() gives it back.
      if (!ok)
        return Error{.code = Code::no_tls_memory, .object = m->display, .value = tls_bytes(*m)};
    }
  }
  for (Module* m : modules) m->tls.in_threads = m->tls.module_id != 0;
  ++s.generation;
  for (Thread* t = s.threads.next; t != &s.threads; t = t->next) t->dtv[0].value = s.generation;
  return {};
}

void remove(State& s, Module& m) {
  std::uint64_t id = m.tls.module_id;
  if (id == 0) return;
  Guard guard(s.lock);
  for (Thread* t = s.threads.next; t != &s.threads; t = t->next) {
    if (id > t->capacity) continue;
    t->dtv[id] = {kNoBlock, nullptr};
    if (t->blocks[id] != nullptr) release_block(s, *t, id, m);
  }
  if (id < s.lowest_free) s.lowest_free = id;
  s.slots[id] = {nullptr, ++s.generation};
  while (s.slots.size() > 1 && s.slots.back().module == nullptr) s.slots.pop();
  if (m.tls.is_optional) s.optional_left += segment(m).p_memsz;
  bool was_static = m.tls.is_static;
  m.tls = {};
  if (was_static) give_static_back(s);
  if (s.slots_changed != nullptr) s.slots_changed(id);
}

bool create_thread(State& s, std::uintptr_t tp) {
  Guard guard(s.lock);
  end_static_growth(s);
  Thread* t = new_thread(s, tp);
  if (t == nullptr) return false;
  if (!fill_all(s, *t)) {
    free_thread(s, *t);
    return false;
  }
  dtv_slot(tp) = t->dtv;
  link(s, *t);
  return true;
}

bool recycle_thread(State& s, std::uintptr_t tp) {
  Guard guard(s.lock);
  Thread* t = thread_at(tp);
  if (t == nullptr) return false;
  release_errors(t->error);
  t->unread = {};
  return grow(*t, s.slots.size()) && fill_all(s, *t);
}

void destroy_thread(State& s, std::uintptr_t tp) {
  Guard guard(s.lock);
  Thread* t = thread_at(tp);
  if (t == nullptr) return;
  t->previous->next = t->next;
  t->next->previous = t->previous;
  --s.thread_count;
  dtv_slot(tp) = nullptr;
  free_thread(s, *t);
}

bool fill_current_thread(State& s) {
  Guard guard(s.lock);
  Thread* t = thread_at(arch::thread_pointer());
  if (t == nullptr || !grow(*t, s.slots.size())) return false;
  for (std::uint64_t id = 1; id < s.slots.size(); ++id)
    if (t->dtv[id].value == kNoBlock && !fill(s, *t, id, s.slots[id], Memory::used)) return false;
  return true;
}

DtvEntry* first_dtv(std::uintptr_t tp) { return dtv_slot(tp); }

}  // namespace myld::tls
