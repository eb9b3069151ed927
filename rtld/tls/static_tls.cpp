// Static TLS of modules that come late: what their initial-exec references need, at one distance
// from the thread pointer in every thread.
//
// Threads have a surplus behind the start-up modules' blocks, which costs each of them that much of
// its stack (libc carves the block from there), so it is small: a stack of PTHREAD_STACK_MIN bytes
// must hold it. But most modules are opened before there is a second thread. The first thread's
// block is the loader's own, with address space behind it; so until then the limit can be raised,
// for that thread at once and for all others before they are made.
#include "arch/port.hpp"
#include "loader/map/spread.hpp"
#include "rtld/tls/segment.hpp"
#include "rtld/tls/tls.hpp"

namespace myld::tls {
namespace {

using Port = arch::Port;

/// Address space for growth behind the first thread's block, bytes. What grows into it is taken
/// from every later thread's stack, whose usual size is 2 to 8 MiB.
constexpr std::uint64_t kReserve = std::uint64_t{1} << 20;
constexpr bool kBlocksBelow = Port::kTlsVariant == arch::TlsVariant::ii;

/// Which bytes of static TLS a block takes, by their distance from the thread pointer.
struct Extent {
  std::uint64_t begin, end;
};

Extent extent(const Module& m, std::int64_t tp_offset) {
  auto at =
      static_cast<std::uint64_t>(Port::kTlsVariant == arch::TlsVariant::ii
                                     ? -tp_offset - static_cast<std::int64_t>(segment(m).p_memsz)
                                     : tp_offset);
  return {at, at + segment(m).p_memsz};
}

bool overlaps(const State& s, const Extent& e) {
  for (const Slot& slot : s.slots) {
    if (slot.module == nullptr || !slot.module->tls.is_static) continue;
    Extent other = extent(*slot.module, slot.module->tls.tp_offset);
    if (e.begin < other.end && other.begin < e.end) return true;
  }
  return false;
}

/// The first place below `limit` where the block of `m` fits: next to what the start-up modules
/// take, or next to a later module, so that what closed modules leave is used again. Gives the
/// layout's used() with it, or 0.
std::uint64_t
place_late(const State& s, const Module& m, std::uint64_t limit, std::int64_t& tp_offset) {
  std::uint64_t best = 0;
  auto look = [&](std::uint64_t edge) {
    StaticLayout layout = s.layout;
    if (edge < layout.used()) return;
    layout.set_used(edge);
    std::int64_t offset = layout.place(shape(m));
    if (layout.used() > limit || (best != 0 && layout.used() >= best)) return;
    if (overlaps(s, extent(m, offset))) return;
    best = layout.used();
    tp_offset = offset;
  };
  look(s.layout.used());
  for (const Slot& slot : s.slots)
    if (slot.module != nullptr && slot.module->tls.is_static)
      look(extent(*slot.module, slot.module->tls.tp_offset).end);
  return best;
}

/// Bytes within reach that no module has.
std::uint64_t static_bytes_left(const State& s) {
  std::uint64_t left = s.reach - s.layout.used();
  for (const Slot& slot : s.slots)
    if (slot.module != nullptr && slot.module->tls.is_static &&
        extent(*slot.module, slot.module->tls.tp_offset).begin >= s.layout.used())
      left -= segment(*slot.module).p_memsz;
  return left;
}

/// The limit that goes with blocks up to `used`: what grows keeps the surplus behind it.
std::uint64_t limit_for(const State& s, std::uint64_t used) {
  if (used <= s.start_limit) return s.start_limit;
  std::uint64_t limit = round_up(used + s.surplus, static_align(s));
  return limit < s.reach ? limit : s.reach;
}

std::uint64_t size_with(const State& s, std::uint64_t limit) {
  return limit + (kBlocksBelow ? s.tcb_bytes : 0);
}

/// Makes the pages of [begin, end) accessible.
long open_pages(const State& s, std::uintptr_t begin, std::uintptr_t end) {
  begin = round_down(begin, s.page_size);
  end = round_up(end, s.page_size);
  return sys::protect(reinterpret_cast<void*>(begin), end - begin,
                      sys::kProtRead | sys::kProtWrite);
}

/// Moves the limit, of the only thread and of those to come.
bool set_limit(State& s, std::uint64_t limit) {
  if (limit == s.static_limit) return true;
  if (limit > s.reach) return false;
  std::uintptr_t tp = s.threads.next->tp;
  if (limit > s.static_limit && (kBlocksBelow ? open_pages(s, tp - limit, tp - s.static_limit)
                                              : open_pages(s, tp + s.static_limit, tp + limit)) < 0)
    return false;
  if (s.size_changes != nullptr && !s.size_changes(size_with(s, limit))) return false;
  s.static_limit = limit;
  return true;
}

}  // namespace

void use_optional_room(State& s, Module& m) {
  BlockShape b = shape(m);
  std::int64_t tp_offset = 0;
  // What a leak checker knows of a thread's static TLS may be of before that module.
  if (b.bytes > s.optional_left || b.align > static_align(s) || s.block_made != nullptr) return;
  if (place_late(s, m, s.static_limit, tp_offset) == 0) return;
  s.optional_left -= b.bytes;
  m.tls.is_static = m.tls.is_optional = true;
  m.tls.tp_offset = tp_offset;
}

Status require_static(State& s, Module& m) {
  if (m.tls.is_static) return {};
  // Threads may hold addresses in the blocks that they have.
  if (m.tls.in_threads) return Error{.code = Code::tls_is_in_use, .object = m.display};
  BlockShape b = shape(m);
  std::int64_t tp_offset = 0;
  bool placed = false;
  // A block that asks for more alignment than the threads' blocks have cannot be put there.
  if (b.align <= static_align(s)) {
    placed = place_late(s, m, s.static_limit, tp_offset) != 0;
    if (!placed)
      if (std::uint64_t used = place_late(s, m, s.reach, tp_offset); used != 0)
        placed = set_limit(s, limit_for(s, used));
  }
  if (!placed)
    return Error{.code = Code::no_static_tls,
                 .object = m.display,
                 .at = static_bytes_left(s),
                 .value = b.bytes};
  m.tls.is_static = true;
  m.tls.tp_offset = tp_offset;
  if (s.slots_changed != nullptr) s.slots_changed(m.tls.module_id);
  return {};
}

void give_static_back(State& s) {
  if (s.static_limit == s.start_limit || s.static_limit == s.reach) return;
  std::uint64_t used = 0;
  for (const Slot& slot : s.slots) {
    if (slot.module == nullptr || !slot.module->tls.is_static) continue;
    std::uint64_t end = extent(*slot.module, slot.module->tls.tp_offset).end;
    if (end > used) used = end;
  }
  // A limit that stays too high does no harm.
  if (std::uint64_t limit = limit_for(s, used); limit < s.static_limit) set_limit(s, limit);
}

void end_static_growth(State& s) {
  s.reach = s.static_limit;
  if (s.size_is_final != nullptr) s.size_is_final();
  s.size_is_final = nullptr;
}

void finish_layout(State& s) {
  s.layout_final = true;
  // The surplus ends where the alignment of the whole makes it end.
  s.static_limit = round_up(s.layout.used() + s.surplus, static_align(s));
  s.start_limit = s.reach = s.static_limit;
}

std::uint64_t static_align(const State& s) {
  std::uint64_t align = s.layout.align() > s.tcb_align ? s.layout.align() : s.tcb_align;
  return align < 64 ? 64 : align;
}

std::uint64_t static_size(const State& s) { return size_with(s, s.static_limit); }

namespace {

/// The thread pointer whose block is in `bytes` from `begin`, a page's start. The TCB is at the end
/// of a page, or at the start of one where blocks lie above it: with small blocks the thread has
/// everything in one page.
std::uintptr_t
thread_pointer_in(const State& s, std::uintptr_t begin, std::uint64_t bytes, std::uint64_t tcb) {
  std::uint64_t align = static_align(s);
  return kBlocksBelow ? round_down(begin + round_up(bytes, s.page_size) - tcb, align)
                      : round_up(begin + tcb, align);
}

/// Address space for the first thread's block, TCB included. Only what is in use now is accessible.
/// Gives the thread pointer, or -errno.
long map_first_thread(State& s, std::uint64_t tcb) {
  constexpr int kFlags = sys::kMapPrivate | sys::kMapAnonymous | sys::kMapNoReserve;
  std::uint64_t align = static_align(s), reach = round_up(s.static_limit + kReserve, align);
  // Not where a library's place would tell it.
  std::uint64_t bytes = tcb + reach + align;
  long got = sys::map(map::suggest_place(bytes), bytes, sys::kProtNone, kFlags, -1, 0);
  if (got < 0) {  // limited address space: no growth then
    bytes = tcb + s.static_limit + align;
    got = sys::map_anonymous(bytes);
    if (got < 0) return got;
    return static_cast<long>(thread_pointer_in(s, static_cast<std::uintptr_t>(got), bytes, tcb));
  }
  auto begin = static_cast<std::uintptr_t>(got);
  map::note_place(begin);
  std::uintptr_t tp = thread_pointer_in(s, begin, bytes, tcb);
  std::uint64_t below = kBlocksBelow ? s.static_limit : tcb;
  std::uint64_t above = kBlocksBelow ? tcb : s.static_limit;
  if (long e = open_pages(s, tp - below, tp + above); e < 0) {
    sys::unmap(reinterpret_cast<void*>(begin), bytes);
    return e;
  }
  s.reach = reach;
  return static_cast<long>(tp);
}

Error no_memory_for_first_thread(const State& s, long error) {
  Error e{.code = Code::no_tls_memory, .sys_errno = static_cast<int>(-error), .object = ""};
  for (const Slot& slot : s.slots) {  // the one that takes most room is to blame
    if (slot.module == nullptr) continue;
    std::uint64_t bytes = tls_bytes(*slot.module), align = segment(*slot.module).p_align;
    if (bytes + align < e.value) continue;
    e.object = slot.module->display;
    e.value = bytes + align;
  }
  return e;
}

}  // namespace

Result<std::uintptr_t> create_first_thread(State& s) {
  std::uint64_t tcb = kBlocksBelow ? s.tcb_bytes : round_up(s.tcb_bytes, static_align(s));
  long got = map_first_thread(s, tcb);
  if (got < 0) return no_memory_for_first_thread(s, got);
  auto tp = static_cast<std::uintptr_t>(got);
  if (!add_first_thread(s, tp)) return Error{.code = Code::out_of_memory};
  return tp;
}

}  // namespace myld::tls
