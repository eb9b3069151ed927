#include "rtld/audit/profile.hpp"

#include "loader/base/addr.hpp"
#include "loader/base/error.hpp"
#include "loader/base/mem.hpp"
#include "loader/heap/heap.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/text.hpp"

namespace myld::audit {
namespace {

constexpr std::uint32_t kVersion = 0x1ffff;  // of a shared object's file
constexpr std::uint32_t kTagTime = 0, kTagCalls = 1;
constexpr unsigned kTextBytesPerCounter = 4, kPerSecond = 100;

/// The file begins with this, then come the counters of time, then CallTable.
struct Header {
  char cookie[4];
  std::uint32_t version;
  std::uint32_t spare[3];
  std::uint32_t time_tag;
  std::uint64_t low_pc, high_pc;  ///< link addresses
  std::uint32_t counter_count;
  std::uint32_t per_second;
  char unit[15];
  char unit_letter;
} __attribute__((packed));
static_assert(sizeof(Header) == 64);

// The counts are aligned, which atomic operations on them need.
struct Arc {
  std::uint64_t from, to;  ///< from the text's start; from: 0 where the caller is another object
  std::uint32_t count;
} __attribute__((packed, aligned(4)));

struct CallTable {
  std::uint32_t tag;
  std::uint32_t count;
  Arc arcs[];
} __attribute__((packed, aligned(4)));

/// What the library's text makes of the file.
struct Shape {
  std::uint64_t low = 0, high = 0;  ///< link addresses, whole pages

  std::uint64_t text_bytes() const { return high - low; }
  std::uint64_t time_bytes() const { return text_bytes() / kTextBytesPerCounter * 2; }
  /// sprof takes no file of another size: sixteen for each 3 of 100 bytes of text, in bounds.
  std::uint64_t arc_limit() const {
    std::uint64_t n = text_bytes() * 3 / 100;
    constexpr std::uint64_t kLeast = 50, kMost = 1 << 20;
    return 16 * (n < kLeast ? kLeast : n > kMost ? kMost : n);
  }
  std::uint64_t file_bytes() const {
    return sizeof(Header) + time_bytes() + sizeof(CallTable) + arc_limit() * sizeof(Arc);
  }
};

/// Hooks are called without a context of their own, so this is the process's.
struct Profile {
  const char* name = nullptr;
  const char* directory = nullptr;
  load::LinkMap* map = nullptr;  ///< of the library, once it is there
  Shape shape;
  std::uintptr_t start = 0;  ///< of its text: a run address
  std::uint16_t* time = nullptr;
  CallTable* table = nullptr;
  std::uint32_t limit = 0;
  std::uint32_t* buckets = nullptr;  ///< arc number + 1 of the first of each
  std::uint32_t* next = nullptr;     ///< by arc number, the same
  std::uint32_t bucket_mask = 0;
  bool takes_time = false;
};
constinit Profile g_profile;

Shape shape_of(const Module& m, std::uint64_t page) {
  Shape s{.low = UINT64_MAX};
  for (const elf::Phdr& p : m.image.segments.phdrs) {
    if (p.p_type != PT_LOAD || (p.p_flags & PF_X) == 0) continue;
    std::uint64_t low = p.p_vaddr & ~(page - 1), high = round_up(p.p_vaddr + p.p_memsz, page);
    if (low < s.low) s.low = low;
    if (high > s.high) s.high = high;
  }
  return s;
}

Header header_of(const Shape& s) {
  return {.cookie = {'g', 'm', 'o', 'n'},
          .version = kVersion,
          .spare = {},
          .time_tag = kTagTime,
          .low_pc = s.low,
          .high_pc = s.high,
          .counter_count = static_cast<std::uint32_t>(s.time_bytes() / 2),
          .per_second = kPerSecond,
          .unit = "seconds",
          .unit_letter = 's'};
}

void cannot(const char* what, const char* file, long e) {
  sys::Text(2) << file << ": cannot " << what << " file: " << errno_text(static_cast<int>(-e))
               << '\n';
}

void is_another(const char* file, const char* library) {
  sys::Text(2) << file << ": file is no correct profile data file for `" << library << "'\n";
}

/// DIRECTORY/NAME.profile: a heap string or nullptr.
char* file_name(const Profile& p) {
  constexpr const char* kEnd = ".profile";
  std::size_t a = strlen(p.directory), b = strlen(p.name);
  auto* name = static_cast<char*>(heap::allocate(a + 1 + b + strlen(kEnd) + 1));
  if (name == nullptr) return nullptr;
  memcpy(name, p.directory, a);
  name[a] = '/';
  memcpy(name + a + 1, p.name, b);
  memcpy(name + a + 1 + b, kEnd, strlen(kEnd) + 1);
  return name;
}

/// The file, mapped; one that is new or empty gets its size. nullptr: said on standard error.
std::byte* map_file(const char* file, const char* library, std::uint64_t bytes) {
  long fd = sys::open_shared_file(file);
  if (fd < 0) return cannot("open", file, fd), nullptr;
  sys::Stat st;
  long e = sys::fstat(static_cast<int>(fd), &st);
  if (e >= 0 && sys::is_regular(st) && st.st_size == 0) {
    e = sys::resize_file(static_cast<int>(fd), bytes);
    st.st_size = static_cast<std::int64_t>(bytes);
  }
  bool fits = e < 0 || (sys::is_regular(st) && static_cast<std::uint64_t>(st.st_size) == bytes);
  if (e >= 0 && fits)
    e = sys::map(nullptr, bytes, sys::kProtRead | sys::kProtWrite, sys::kMapShared,
                 static_cast<int>(fd), 0);
  sys::close(static_cast<int>(fd));
  if (!fits) return is_another(file, library), nullptr;
  if (e < 0) return cannot("map", file, e), nullptr;
  return reinterpret_cast<std::byte*>(e);
}

std::uint32_t bucket_of(const Profile& p, std::uint64_t from, std::uint64_t to) {
  return static_cast<std::uint32_t>((from * 0x9e3779b97f4a7c15u + to) * 0xff51afd7ed558ccdu >> 33) &
         p.bucket_mask;
}

void enter_arc(Profile& p, std::uint32_t number) {
  const Arc& arc = p.table->arcs[number];
  std::uint32_t* head = &p.buckets[bucket_of(p, arc.from, arc.to)];
  std::uint32_t first = __atomic_load_n(head, __ATOMIC_RELAXED);
  do p.next[number] = first;
  while (!__atomic_compare_exchange_n(head, &first, number + 1, true, __ATOMIC_RELEASE,
                                      __ATOMIC_RELAXED));
}

bool make_index(Profile& p) {
  std::uint32_t buckets = 1024;
  while (buckets < p.limit / 4) buckets *= 2;
  p.bucket_mask = buckets - 1;
  p.buckets = static_cast<std::uint32_t*>(heap::allocate(buckets * sizeof(std::uint32_t)));
  p.next = static_cast<std::uint32_t*>(heap::allocate(p.limit * sizeof(std::uint32_t)));
  if (p.buckets == nullptr || p.next == nullptr) return false;
  std::uint32_t count = __atomic_load_n(&p.table->count, __ATOMIC_ACQUIRE);
  for (std::uint32_t i = 0; i < count && i < p.limit; ++i) enter_arc(p, i);
  return true;
}

/// The library is there: its file is made, or gone on with.
void begin(Profile& p, const Module& m, std::uint64_t page) {
  p.shape = shape_of(m, page);
  if (p.shape.high <= p.shape.low) return;
  char* file = file_name(p);
  if (file == nullptr) return;
  std::byte* at = map_file(file, p.name, p.shape.file_bytes());
  if (at != nullptr) {
    Header wanted = header_of(p.shape);
    auto* table = reinterpret_cast<CallTable*>(at + sizeof(Header) + p.shape.time_bytes());
    bool is_new = true;
    for (std::size_t i = 0; i < sizeof(Header); ++i) is_new = is_new && at[i] == std::byte{0};
    if (is_new) {
      table->tag = kTagCalls;
      memcpy(at, &wanted, sizeof wanted);
    }
    if (memcmp(at, &wanted, sizeof wanted) != 0 || table->tag != kTagCalls) {
      is_another(file, p.name);
      sys::unmap(at, p.shape.file_bytes());
    } else {
      p.time = reinterpret_cast<std::uint16_t*>(at + sizeof(Header));
      p.limit = static_cast<std::uint32_t>(p.shape.arc_limit());
      p.start = (m.image.bias + LinkAddr{p.shape.low}).value;
      p.table = table;
      if (make_index(p)) p.map = m.link_map;
    }
  }
  release_string(file);
}

void count(Profile& p, std::uintptr_t caller, std::uintptr_t callee) {
  std::uint64_t from = caller - p.start, to = callee - p.start;
  if (to >= p.shape.text_bytes()) return;
  if (from >= p.shape.text_bytes()) from = 0;
  std::uint32_t first = __atomic_load_n(&p.buckets[bucket_of(p, from, to)], __ATOMIC_ACQUIRE);
  for (std::uint32_t i = first; i != 0; i = p.next[i - 1]) {
    Arc& arc = p.table->arcs[i - 1];
    if (arc.from != from || arc.to != to) continue;
    __atomic_fetch_add(&arc.count, 1, __ATOMIC_RELAXED);
    return;
  }
  // Two threads may both make one for the same call: sprof adds them up.
  std::uint32_t number = __atomic_fetch_add(&p.table->count, 1, __ATOMIC_ACQ_REL);
  if (number >= p.limit) {
    __atomic_fetch_sub(&p.table->count, 1, __ATOMIC_ACQ_REL);
    return;
  }
  p.table->arcs[number] = {from, to, 1};
  enter_arc(p, number);
}

// ---- the hooks -------------------------------------------------------------------------------

/// The cookie stays what it is at first, the link_map: it tells bind_hook who the provider is.
unsigned opened_hook(load::LinkMap*, long, std::uintptr_t*) { return kBindTo | kBindFrom; }

std::uintptr_t bind_hook(elf::Sym* symbol,
                         unsigned,
                         std::uintptr_t*,
                         std::uintptr_t* provider,
                         unsigned* flags,
                         const char*) {
  const auto* map = reinterpret_cast<const load::LinkMap*>(*provider);
  *flags |= kNoExit;
  if (g_profile.map == nullptr || map != g_profile.map) *flags |= kNoEnter;
  return symbol->st_value;
}

std::uintptr_t enter_hook(elf::Sym* symbol,
                          unsigned,
                          std::uintptr_t*,
                          std::uintptr_t*,
                          void* registers,
                          unsigned*,
                          const char*,
                          long*) {
  count(g_profile, arch::Port::return_address(registers), symbol->st_value);
  return symbol->st_value;
}

}  // namespace

bool add_profiler(State& state, const char* name, const char* directory) {
  g_profile.name = name;
  g_profile.directory = directory;
  Hooks hooks{};
  hooks.objopen = opened_hook;
  hooks.symbind = bind_hook;
  hooks.enter = enter_hook;
  return add(state, hooks);
}

void look_for_profiled(std::uint64_t page_size, const Module& m) {
  Profile& p = g_profile;
  if (p.name == nullptr || p.map != nullptr || m.is_loader) return;
  bool is_it = (m.image.soname != nullptr && equal(m.image.soname, p.name)) ||
               (m.requested != nullptr && equal(m.requested, p.name)) || equal(m.path, p.name);
  if (is_it) begin(p, m, page_size);
}

void forget_profiled(const Module& m) {
  Profile& p = g_profile;
  // The file keeps what there is; another library may come to lie at these addresses.
  if (p.map == nullptr || p.map != m.link_map) return;
  p.map = nullptr;
  p.name = nullptr;
}

TimeCounters time_to_take() {
  Profile& p = g_profile;
  if (p.map == nullptr || p.takes_time) return {};
  p.takes_time = true;
  return {p.time, p.shape.time_bytes(), p.start, p.shape.text_bytes()};
}

}  // namespace myld::audit
