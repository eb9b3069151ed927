#include "rtld/scope/batch.hpp"

#include "loader/base/addr.hpp"
#include "loader/base/mem.hpp"
#include "loader/heap/scratch.hpp"
#include "rtld/scope/match.hpp"

namespace myld::scope {
namespace {

/// How far ahead of its use a piece of memory is asked for.
constexpr std::size_t kAhead = 12;
/// Hashes that pass the filter are handled in portions, so that the memory they lead to is on its
/// way before it is needed.
constexpr std::size_t kPortion = 512;

constexpr std::size_t kLine = 64;  // of the cache

/// Entries that a symbol is offered to and that do not take it: what is long, and how much there
/// may be of it for each reference and each exported symbol. Names that share a hash, and versions
/// of one name, would make it their number's square; ordinary files stay far below.
constexpr std::uint32_t kLongWait = 64;
constexpr std::uint64_t kPatience = 8;

unsigned bits_for(std::uint64_t n, unsigned least) {
  unsigned bits = least;
  while ((std::uint64_t{1} << bits) < n) ++bits;
  return bits;
}

unsigned table_bits(std::uint64_t references) { return bits_for(references * 2, 4); }
unsigned filter_bits(std::uint64_t references) { return bits_for(references * 16, 6); }

/// With room for what alignment takes.
std::size_t bytes_of_tables(std::uint64_t references) {
  return (std::size_t{1} << filter_bits(references)) / 8 +
         (sizeof(std::uint32_t) << table_bits(references)) + 2 * kLine;
}

std::uint64_t exported_count(const Module& m) {
  const elf::Image& image = m.image;
  std::uint32_t first = image.gnu_hash.bucket_count != 0 ? image.gnu_hash.first : 0;
  return first < image.symbol_limit ? image.symbol_limit - first : 0;
}
std::uint64_t exported_count(const load::ModuleList* list) {
  std::uint64_t n = 0;
  for (std::uint32_t i = 0; list != nullptr && i < list->count; ++i)
    n += exported_count(*list->modules[i]);
  return n;
}

}  // namespace

bool worth_a_batch(std::uint64_t references,
                   const load::ModuleList* first,
                   const load::ModuleList* second,
                   std::uint64_t cost) {
  if (references < 32 || strong_definitions_preferred()) return false;
  // With a table of its names a list is asked like a few modules.
  auto asked = [](const load::ModuleList* list) -> std::uint64_t {
    constexpr std::uint64_t kByTable = 4;
    if (list == nullptr) return 0;
    return list->names != nullptr && list->count > kByTable ? kByTable : list->count;
  };
  // In units of an exported hash streamed past: asking one module is about 4, and the fixed work
  // for a reference 40 either way.
  std::uint64_t one_by_one = references * (asked(first) + asked(second)) * 4;
  return one_by_one > cost && one_by_one - cost > exported_count(first) + exported_count(second);
}

Batch::~Batch() { heap::release_scratch(memory_, bytes_); }

bool Batch::prepare(std::span<Module* const> users,
                    std::uint64_t references,
                    const load::ModuleList* first,
                    const load::ModuleList* second) {
  if (users.size() > UINT16_MAX || references > UINT32_MAX / 64) return false;
  std::uint64_t symbols = 0;
  for (const Module* m : users) symbols += m->image.symbol_limit;
  std::size_t pointers = users.size() * sizeof(std::uint32_t*),
              ends = users.size() * sizeof(std::uint32_t),
              numbers = symbols * sizeof(std::uint32_t);
  bytes_ = references * sizeof(Entry) + bytes_of_tables(references) + pointers + ends + numbers;
  memory_ = heap::allocate_scratch(bytes_);
  if (memory_ == nullptr) return false;
  // What is filled as a whole, then the entries, whose number turns out to be a part of what it
  // could be, and where they end the tables: so little of the memory is ever touched.
  auto* at = static_cast<unsigned char*>(memory_);
  auto take = [&at](std::size_t bytes) {
    unsigned char* start = at;
    at += bytes;
    return start;
  };
  numbers_ = reinterpret_cast<std::uint32_t**>(take(pointers));
  hashed_ends_ = reinterpret_cast<std::uint32_t*>(take(ends));
  for (std::size_t i = 0; i < users.size(); ++i) {
    hashed_ends_[i] = users[i]->image.gnu_hashed_end();
    users[i]->counter = static_cast<std::uint32_t>(i);
    numbers_[i] = reinterpret_cast<std::uint32_t*>(
        take(users[i]->image.symbol_limit * sizeof(std::uint32_t)));
  }
  at = reinterpret_cast<unsigned char*>(
      round_up(reinterpret_cast<std::uintptr_t>(at), sizeof(Entry)));
  entries_ = reinterpret_cast<Entry*>(at);
  users_ = users;
  lists_[0] = first;
  lists_[1] = second;
  capacity_ = static_cast<std::uint32_t>(references);
  return true;
}

/// The definition that a module which looks at itself first has for a reference. For either purpose
/// it is the same, unless it is a canonical PLT entry.
[[gnu::noinline]] const Sym* Batch::own_definition(const Entry& e, const Module& user) const {
  const char* name = user.image.strings.at(user.image.symbols[e.symbol].st_name);
  if (name == nullptr) return nullptr;
  return find_in_module(user, Request::of(name, version_of(user, e.symbol), Purpose::address));
}

/// Notes what was found, as an address where that says it all.
[[gnu::always_inline]] inline void Batch::settle(Entry& e, Module& m, const Sym& s) const {
  e.state = State::found;
  e.provider = &m;
  e.definition = static_cast<std::uint32_t>(&s - m.image.symbols);
  // An undefined reference is bound to what is found; a defined one may be STV_PROTECTED, which is
  // all the same where it has found itself.
  bool is_the_end =
      (e.purposes & kUndefined) != 0 || &s == &users_[e.user]->image.symbols[e.symbol];
  if (is_the_end && elf::sym_binding(s) != STB_GNU_UNIQUE && is_at_its_value(m, s)) {
    e.state = State::settled;
    e.address = (m.image.bias + LinkAddr{s.st_value}).value;
  }
}

Batch::Collector::Collector(Batch& batch, std::uint32_t user)
    : batch_(batch), module_(*batch.users_[user]), numbers_(batch.numbers_[user]),
      entries_(batch.entries_), limit_(module_.image.symbol_limit),
      first_hashed_(module_.image.gnu_hash.first), hashed_count_(0),
      user_(static_cast<std::uint16_t>(user)), itself_first_(looks_at_itself_first(module_)) {
  if (batch.hashed_ends_[user] > first_hashed_)
    hashed_count_ = batch.hashed_ends_[user] - first_hashed_;
}

/// Of a module that looks at itself first. False: the reference is none of the batch's.
[[gnu::noinline]] bool Batch::Collector::read_own(Entry& e) {
  const Sym* own = batch_.own_definition(e, module_);
  if (own == nullptr) return true;
  if (own->st_shndx == SHN_UNDEF) return false;
  batch_.settle(e, module_, *own);
  return true;
}

void Batch::Collector::add(std::uint32_t symbol, std::uint8_t purpose_bit) {
  const elf::Image& image = module_.image;
  if (symbol == 0 || batch_.entry_count_ == batch_.capacity_) return;
  if (image.versym != nullptr && !version_is_known(module_, symbol, image.symbols[symbol])) return;
  Entry& e = entries_[batch_.entry_count_];  // zeroed memory
  if (std::uint32_t place = symbol - first_hashed_; place < hashed_count_) {
    e.hash = image.gnu_hash.chain[place] >> 1;
  } else {
    const Sym& s = image.symbols[symbol];
    if (s.st_name >= image.strings.size || refers_to_itself(s)) return;
    if (s.st_shndx == SHN_UNDEF) purpose_bit |= kUndefined;
    e.name = image.strings.data + s.st_name;
    e.hash = hash_of_name(e.name) >> 1;
  }
  e.symbol = symbol;
  e.user = user_;
  e.purposes = purpose_bit;
  if (itself_first_ && !read_own(e)) {
    e = {};
    return;
  }
  numbers_[symbol] = ++batch_.entry_count_;
}

void Batch::fill_table() {
  unsigned in_table = table_bits(entry_count_), in_filter = filter_bits(entry_count_);
  table_shift_ = 32 - in_table;
  filter_shift_ = 32 - in_filter;
  std::uintptr_t end = reinterpret_cast<std::uintptr_t>(entries_ + entry_count_);
  filter_ = reinterpret_cast<std::uint64_t*>(round_up(end, kLine));
  table_ = reinterpret_cast<std::uint32_t*>(filter_ + (std::size_t{1} << in_filter) / 64);
  for (std::uint32_t i = 0; i < entry_count_; ++i) {
    if (i + kAhead < entry_count_)
      __builtin_prefetch(&table_[table_place(entries_[i + kAhead].hash)]);
    Entry& e = entries_[i];
    if (e.state != State::wanted) continue;  // its own module has it
    std::uint32_t bit = filter_place(e.hash);
    filter_[bit / 64] |= std::uint64_t{1} << bit % 64;
    std::uint32_t& head = table_[table_place(e.hash)];
    e.next = head;
    head = i + 1;
  }
}

const char* Batch::name_of(Entry& e) const {
  if (e.name == nullptr) {
    const elf::Image& image = users_[e.user]->image;
    // An offset outside the table was refused for undefined symbols; a defined one that has it
    // cannot be equal to any name.
    const char* name = image.strings.at(image.symbols[e.symbol].st_name);
    e.name = name == nullptr ? "" : name;
  }
  return e.name;
}

/// The choice among the versions of one module: left to the definition of what is right.
[[gnu::noinline]] const Sym* Batch::default_version(Entry& e, const Module& m) const {
  Request request =
      Request::of(name_of(e), version_of(*users_[e.user], e.symbol),
                  (e.purposes & bit_of(Purpose::address)) != 0 ? Purpose::address : Purpose::call);
  return find_in_module(m, request);
}

/// Sets an entry whose definition is there. True.
[[gnu::always_inline]] inline bool Batch::conclude_with(Entry& e, Module& m, const Sym& s) const {
  // A canonical PLT entry is the answer for one purpose and not for the other.
  if (s.st_shndx == SHN_UNDEF && (e.purposes & ~kUndefined) != bit_of(Purpose::address))
    e.state = State::depends;
  else
    settle(e, m, s);
  return true;
}

/// takes() where the symbol is the very one that the module refers to. Of most references it is:
/// the module that defines a symbol is the first in the scope that does.
[[gnu::always_inline]] inline bool Batch::takes_own(Entry& e, Module& m) const {
  const Sym& s = m.image.symbols[e.symbol];
  if (s.st_name >= m.image.strings.size) return false;
  bool address = (e.purposes & bit_of(Purpose::address)) != 0;
  if (!is_definition(s, address ? Purpose::address : Purpose::call)) return false;
  // A version is the same as itself; that there is one was looked at when it was collected. What
  // has none is no definition for others where it is hidden.
  if (m.image.versym != nullptr)
    if (std::uint16_t v = m.image.versym[e.symbol];
        (v & elf::kVersionIndexMask) <= VER_NDX_GLOBAL && version_of(m, e.symbol) == nullptr &&
        (v & elf::kVersionHidden) != 0)
      return false;
  return conclude_with(e, m, s);
}

/// Is `symbol` of `module`, which has the entry's hash, its definition? `name`: of the symbol, read
/// when it is needed. If so, what is to be known of the entry is known, and it is set.
bool Batch::takes(Entry& e, Module& m, std::uint32_t symbol, const char*& name) {
  Module& user = *users_[e.user];
  const Sym* s = &m.image.symbols[symbol];
  if (name == nullptr) {
    name = m.image.strings.at(s->st_name);
    if (name == nullptr) return false;
  }
  if (!same_name(name, name_of(e))) return false;
  bool address = (e.purposes & bit_of(Purpose::address)) != 0;
  switch (match(m, symbol,
                {.version = version_of(user, e.symbol),
                 .purpose = address ? Purpose::address : Purpose::call})) {
  case Match::no: return false;
  case Match::yes: break;
  case Match::default_version:
    s = default_version(e, m);
    if (s == nullptr) return false;
    break;
  }
  return conclude_with(e, m, *s);
}

/// `user`: the module's number, or one that no user has.
[[gnu::always_inline]] inline void
Batch::offer_one(Module& m, std::uint32_t user, const Exported& x) {
  const char* name = nullptr;
  std::uint32_t* head = &table_[table_place(x.hash)];
  std::uint32_t passed = 0;
  for (std::uint32_t* place = head; *place != 0;) {
    Entry& e = entries_[*place - 1];
    std::uint32_t next = e.next;
    if (next != 0) {  // what many refer to makes a long chain
      const Entry& second = entries_[next - 1];
      __builtin_prefetch(second.name);
      if (second.next != 0) __builtin_prefetch(&entries_[second.next - 1]);
    }
    bool taken = false;
    if (e.hash == x.hash)
      taken =
          e.symbol == x.symbol && e.user == user ? takes_own(e, m) : takes(e, m, x.symbol, name);
    if (taken)
      *place = next;
    else
      place = &e.next, ++passed;
  }
  if (passed > kLongWait) [[unlikely]]
    note_passed(*head, passed);
}

/// Counts entries that did not take what they were offered. When it was too often, those that wait
/// at a crowded place are left to resolve(), which has an index for such names.
[[gnu::noinline]] void Batch::note_passed(std::uint32_t& head, std::uint32_t entries) {
  passed_ += entries;
  if (passed_ <= offered_ * kPatience) return;
  while (head != 0) {
    Entry& e = entries_[head - 1];
    head = e.next;
    e.next = 0;
    e.state = State::depends;
  }
}

/// Brings nearer the two names that takes() will compare, if any.
[[gnu::always_inline]] inline void
Batch::prefetch_names(const Module& m, std::uint32_t user, const Exported& x) const {
  std::uint32_t n = table_[table_place(x.hash)];
  if (n == 0) return;
  const Entry& e = entries_[n - 1];
  if (e.hash != x.hash || (e.symbol == x.symbol && e.user == user)) return;
  if (e.name != nullptr) prefetch_string(e.name);
  prefetch_string(m.image.strings.data + m.image.symbols[x.symbol].st_name);
}

void Batch::offer(Module& m, std::uint32_t user, const Exported* x, std::size_t count) {
  constexpr std::size_t kTable = 16, kEntry = 12, kNames = 5;
  for (std::size_t i = 0; i < count; ++i) {
    if (i + kTable < count) {
      __builtin_prefetch(&table_[table_place(x[i + kTable].hash)]);
      __builtin_prefetch(&m.image.symbols[x[i + kTable].symbol]);
    }
    if (i + kEntry < count)
      if (std::uint32_t n = table_[table_place(x[i + kEntry].hash)]; n != 0)
        __builtin_prefetch(&entries_[n - 1]);
    if (i + kNames < count) prefetch_names(m, user, x[i + kNames]);
    offer_one(m, user, x[i]);
  }
}

/// The module's number among the users, or UINT32_MAX.
std::uint32_t Batch::user_number(const Module& m) const {
  return m.counter < users_.size() && users_[m.counter] == &m ? m.counter : UINT32_MAX;
}

void Batch::stream_gnu(Module& m) {
  const elf::GnuHash& gnu = m.image.gnu_hash;
  Exported passed[kPortion];
  // gnu_hashed_end() reads the whole table: of users it was done before.
  std::uint32_t user = user_number(m);
  std::uint32_t limit = user != UINT32_MAX ? hashed_ends_[user] : m.image.gnu_hashed_end();
  for (std::uint32_t from = gnu.first; from < limit; from += kPortion) {
    std::uint32_t to = limit - from < kPortion ? limit : from + kPortion;
    std::size_t count = 0;
    for (std::uint32_t i = from; i < to; ++i) {  // no branch depends on the data
      std::uint32_t hash = gnu.chain[i - gnu.first] >> 1, bit = filter_place(hash);
      passed[count] = {i, hash};
      count += filter_[bit / 64] >> bit % 64 & 1;
    }
    offer(m, user, passed, count);
  }
}

/// Without stored hashes the names are hashed; what the chains hold is what can be found.
void Batch::stream_sysv(Module& m) {
  const elf::SysvHash& h = m.image.sysv_hash;
  std::uint32_t steps = 0, user = user_number(m);
  for (std::uint32_t bucket = 0; bucket < h.bucket_count; ++bucket)
    for (std::uint32_t i = h.buckets[bucket]; i != 0 && i < h.chain_count; i = h.chain()[i]) {
      if (++steps > h.chain_count) return;  // a cycle in the file
      const char* name = m.image.strings.at(m.image.symbols[i].st_name);
      if (name == nullptr || sysv_hash(name) % h.bucket_count != bucket) continue;
      std::uint32_t hash = hash_of_name(name) >> 1, bit = filter_place(hash);
      if ((filter_[bit / 64] >> bit % 64 & 1) != 0) offer_one(m, user, {i, hash});
    }
}

void Batch::stream(Module& m) {
  if (__atomic_load_n(&m.leaving, __ATOMIC_ACQUIRE)) return;
  offered_ += exported_count(m);
  if (m.image.gnu_hash.bucket_count != 0)
    stream_gnu(m);
  else if (m.image.sysv_hash.bucket_count != 0)
    stream_sysv(m);
}

void Batch::run() {
  fill_table();
  offered_ = entry_count_;
  for (const load::ModuleList* list : lists_)
    for (std::uint32_t i = 0; list != nullptr && i < list->count; ++i) stream(*list->modules[i]);
}

}  // namespace myld::scope
