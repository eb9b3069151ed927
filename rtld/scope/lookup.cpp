#include "rtld/scope/lookup.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/log.hpp"
#include "rtld/scope/chain_index.hpp"
#include "rtld/scope/match.hpp"
#include "rtld/scope/name_index.hpp"

#include <algorithm>

namespace myld::scope {
namespace {

using elf::Image;

// What a look-up goes through in the usual case is one function without a call but for the name's
// hash: what a call saves and restores is as much as what is done between.

/// Looks at one entry. True: `found` is final.
[[gnu::always_inline]] inline bool consider(const Module& m,
                                            std::uint32_t index,
                                            const Request& r,
                                            const Sym*& fallback,
                                            const Sym*& found) {
  const Image& image = m.image;
  const Sym& s = image.symbols[index];
  if (s.st_name >= image.strings.size || !same_name(image.strings.data + s.st_name, r.name))
    return false;
  Match how = match(m, index, r);
  if (how == Match::yes) found = &s;
  if (how == Match::default_version && fallback == nullptr) fallback = &s;
  return how == Match::yes;
}

/// Does the filter of DT_GNU_HASH say that no symbol has this hash?
[[gnu::always_inline]] inline bool is_filtered(const elf::GnuHash& h, std::uint32_t hash) {
  std::uint64_t word = h.bloom[(hash / 64) & h.bloom_mask];
  return (word >> (hash & 63) & word >> (hash >> h.bloom_shift & 63) & 1) == 0;
}
/// What most modules are asked, and answer.
[[gnu::always_inline]] inline bool cannot_have(const Module& m, const Request& r) {
  const elf::GnuHash& h = m.image.gnu_hash;
  return h.bucket_count != 0 && is_filtered(h, r.hash);
}

// A chain is walked in two parts: what is far behind is rarely there, and never costs long.

/// Reads entries of a chain of DT_GNU_HASH from `i` to the last or to `end`. True: it is over.
[[gnu::always_inline]] inline bool
walk_gnu(const Module& m, const Request& r, std::uint32_t& i, std::uint32_t end, Answer& answer) {
  const elf::GnuHash& h = m.image.gnu_hash;
  for (; i < end; ++i) {
    std::uint32_t hash = h.chain[i - h.first];
    if (((hash ^ r.hash) >> 1) == 0 && consider(m, i, r, answer.fallback, answer.found))
      return true;
    if ((hash & 1) != 0) return true;
  }
  return i >= h.limit;
}

[[gnu::noinline]] const Sym*
find_in_rest_gnu(const Module& m, const Request& r, std::uint32_t i, Answer answer) {
  if (!find_in_index(m, r, answer)) {
    std::uint32_t from = i;
    walk_gnu(m, r, i, m.image.gnu_hash.limit, answer);
    note_walked(m, i - from);
  }
  return answer.found != nullptr ? answer.found : answer.fallback;
}

/// Needs: !cannot_have().
[[gnu::always_inline]] inline const Sym* find_gnu(const Module& m, const Request& r) {
  const elf::GnuHash& h = m.image.gnu_hash;
  std::uint32_t i = h.buckets[r.hash % h.bucket_count];
  if (i < h.first || i >= h.limit) return nullptr;
  Answer answer;
  std::uint32_t end = h.limit - i > patience() ? i + patience() : h.limit;
  if (!walk_gnu(m, r, i, end, answer)) return find_in_rest_gnu(m, r, i, answer);
  return answer.found != nullptr ? answer.found : answer.fallback;
}

/// Reads entries of a chain of DT_HASH from `i` on, so many or to the last. True: it is over.
[[gnu::always_inline]] inline bool walk_sysv(const Module& m,
                                             const Request& r,
                                             std::uint32_t& i,
                                             std::uint32_t& steps,
                                             std::uint32_t most,
                                             Answer& answer) {
  const elf::SysvHash& h = m.image.sysv_hash;
  for (; i != 0 && i < h.chain_count; i = h.chain()[i], ++steps) {
    if (steps == most) return false;
    if (consider(m, i, r, answer.fallback, answer.found)) return true;
  }
  return true;
}

[[gnu::noinline]] const Sym* find_in_rest_sysv(
    const Module& m, const Request& r, std::uint32_t i, std::uint32_t steps, Answer answer) {
  if (!find_in_index(m, r, answer)) {
    std::uint32_t from = steps;
    // A chain visits each symbol at most once; a cycle in the file ends here.
    walk_sysv(m, r, i, steps, m.image.sysv_hash.chain_count, answer);
    note_walked(m, steps - from);
  }
  return answer.found != nullptr ? answer.found : answer.fallback;
}

[[gnu::noinline]] const Sym* find_sysv(const Module& m, const Request& r) {
  const elf::SysvHash& h = m.image.sysv_hash;
  std::uint32_t i = h.buckets[sysv_hash(r.name) % h.bucket_count], steps = 0;
  Answer answer;
  if (!walk_sysv(m, r, i, steps, std::min(patience(), h.chain_count), answer))
    return find_in_rest_sysv(m, r, i, steps, answer);
  return answer.found != nullptr ? answer.found : answer.fallback;
}

/// Needs: !cannot_have().
[[gnu::always_inline]] inline const Sym* find_here(const Module& m, const Request& r) {
  if (m.image.gnu_hash.bucket_count != 0) [[likely]]
    return find_gnu(m, r);
  return m.image.sysv_hash.bucket_count != 0 ? find_sysv(m, r) : nullptr;
}

/// Asks each module in turn. `kTold`: LD_DEBUG=symbols wants to know.
template <bool kTold>
[[gnu::always_inline]] inline Definition
ask_each(const load::ModuleList& list, const Request& r, std::uint32_t from) {
  for (std::uint32_t i = from; i < list.count; ++i) {
    Module* m = list.modules[i];
    if (kTold) log::line("symbol=", r.name, ";  lookup in file=", log::In{m->display, m->ns->id});
    if (cannot_have(*m, r)) continue;
    if (m == r.skip || (r.purpose == Purpose::copy && m->is_program)) continue;
    const Sym* s = find_here(*m, r);
    if (s == nullptr) continue;
    if (__atomic_load_n(&m->leaving, __ATOMIC_ACQUIRE) && !r.leaving_too) continue;
    note_asked(list, i - from);
    return {m, s};
  }
  note_asked(list, list.count - from);
  return {};
}

[[gnu::cold, gnu::noinline]] Definition
ask_each_and_tell(const load::ModuleList& list, const Request& r, std::uint32_t from) {
  return ask_each<true>(list, r, from);
}

[[gnu::noinline]] Definition ask_index(const load::ModuleList& list, const Request& r) {
  bool known = false;
  Definition d = find_by_index(list, r, known);
  return known ? d : ask_each<false>(list, r, 0);
}

[[gnu::always_inline]] inline Definition
ask_list(const load::ModuleList* list, const Request& r, std::uint32_t from) {
  if (list == nullptr) return {};
  if (log::wants(log::kSymbols)) return ask_each_and_tell(*list, r, from);
  if (from == 0 && __atomic_load_n(&list->names, __ATOMIC_ACQUIRE) != nullptr && is_ordinary(r))
    return ask_index(*list, r);
  return ask_each<false>(*list, r, from);
}

// ---- STB_GNU_UNIQUE --------------------------------------------------------------------------

using load::UniqueEntry;

/// Guards the tables of all namespaces: a few instructions, in signal handlers too.
constinit std::uint32_t g_unique_lock = 0;

class UniqueGuard {
public:
  UniqueGuard() { lock_unique_symbols(); }
  ~UniqueGuard() { unlock_unique_symbols(); }
};

}  // namespace

void lock_unique_symbols() {
  while (__atomic_exchange_n(&g_unique_lock, 1, __ATOMIC_ACQUIRE) != 0) {
  }
}

void unlock_unique_symbols() { __atomic_store_n(&g_unique_lock, 0, __ATOMIC_RELEASE); }

Definition unique(const char* name, const Definition& candidate) {
  std::uint64_t hash = hash_string(name);
  UniqueGuard guard;
  PointerTable<UniqueEntry>& table = candidate.module->ns->unique;
  UniqueEntry* e =
      table.find(hash, [&](const UniqueEntry& each) { return equal(each.name, name); });
  if (e == nullptr) {
    e = static_cast<UniqueEntry*>(heap::allocate(sizeof(UniqueEntry)));
    // Without memory for the table the candidate is still a correct definition of its own module.
    if (e == nullptr) return candidate;
    // The requester may go; the definition's own module stays, and with it its spelling of the
    // name.
    name = candidate.module->image.strings.at(candidate.symbol->st_name);
    *e = {name, candidate.module, candidate.symbol};
    if (!table.insert(hash, e)) {
      heap::release(e, sizeof *e);
      return candidate;
    }
    if (!candidate.module->permanent) candidate.module->permanent_because = name;
    candidate.module->permanent = true;
  }
  return {e->module, e->symbol};
}

void forget_unique(const Module& m) {
  UniqueGuard guard;
  for (std::uint32_t i = 1; i < m.image.symbol_limit; ++i) {
    const Sym& s = m.image.symbols[i];
    const char* name = m.image.strings.at(s.st_name);
    if (elf::sym_binding(s) != STB_GNU_UNIQUE || name == nullptr) continue;
    std::uint64_t hash = hash_string(name);
    PointerTable<UniqueEntry>& table = m.ns->unique;
    if (UniqueEntry* e =
            table.find(hash, [&](const UniqueEntry& each) { return each.symbol == &s; })) {
      table.erase(hash, e);
      heap::release(e, sizeof *e);
    }
  }
}

const Sym* find_in_module(const Module& m, const Request& r) {
  return cannot_have(m, r) ? nullptr : find_here(m, r);
}

Definition find_in_list(const load::ModuleList* list, const Request& r, std::uint32_t from) {
  return ask_list(list, r, from);
}

namespace {

constinit bool g_strong_first = false;

/// The first definition in a list that is not weak. `weak`: becomes the first of all, if it is
/// empty.
Definition
find_strong(const load::ModuleList* list, const Request& r, std::uint32_t from, Definition& weak) {
  for (; list != nullptr && from < list->count; ++from) {
    Definition d = find_in_list(list, r, from);
    if (!d) break;
    if (elf::sym_binding(*d.symbol) != STB_WEAK) return d;
    if (!weak) weak = d;
    while (list->modules[from] != d.module) ++from;
  }
  return {};
}

/// The first definition that is not weak in the scopes of a chain, or the first of all.
Definition find_strong_first(const load::ScopeChain& chain, const Request& r) {
  Definition weak;
  for (std::uint32_t i = 0; i < chain.count; ++i)
    if (Definition d = find_strong(chain.scopes[i]->read(), r, 0, weak)) return d;
  return weak;
}

}  // namespace

void prefer_strong_definitions() { g_strong_first = true; }
bool strong_definitions_preferred() { return g_strong_first; }

Definition find_best_in_list(const load::ModuleList* list, const Request& r, std::uint32_t from) {
  if (!g_strong_first) [[likely]]
    return find_in_list(list, r, from);
  Definition weak;
  Definition strong = find_strong(list, r, from, weak);
  return strong ? strong : weak;
}

Definition find(const load::ScopeChain* chain, const Request& r) {
  if (chain == nullptr) return {};
  if (g_strong_first) [[unlikely]]
    return find_strong_first(*chain, r);
  for (std::uint32_t i = 0; i < chain->count; ++i)
    if (Definition d = ask_list(chain->scopes[i]->read(), r, 0)) return d;
  return {};
}

void log_binding(const Module& from, const Definition& to, const Request& r, bool is_protected) {
  log::Line line;
  line << "binding file " << log::In{from.display, from.ns->id} << " to "
       << log::In{to.module->display, to.module->ns->id} << ": "
       << (is_protected ? "protected" : "normal") << " symbol `" << r.name << '\'';
  if (r.version != nullptr) line << " [" << r.version->name << ']';
}

bool looks_up_one_by_one() { return g_strong_first || log::wants(log::kSymbols | log::kBindings); }

Definition look_up(Module& m, const Sym& symbol, std::uint32_t index, Purpose purpose) {
  if (refers_to_itself(symbol)) return {&m, &symbol};
  Request request =
      Request::of(m.image.strings.data + symbol.st_name, version_of(m, index), purpose);
  return choose(m, symbol, find(m.scopes, request));
}

namespace {

[[gnu::always_inline]] inline Definition
choose_here(Module& m, const Sym& symbol, const Definition& found) {
  if (refers_to_itself(symbol)) return {&m, &symbol};
  if (elf::sym_visibility(symbol) == STV_PROTECTED && symbol.st_shndx != SHN_UNDEF) {
    // The module's own definition, unless the program has made its PLT entry the canonical address
    // of the function: then pointers must compare equal to that.
    bool canonical = found.module != nullptr && found.symbol->st_shndx == SHN_UNDEF;
    if (!canonical) return {&m, &symbol};
  }
  return found;
}

[[gnu::always_inline]] inline Definition
conclude_here(Module& m, const Sym& symbol, Purpose purpose, const Definition& found) {
  if (refers_to_itself(symbol)) return {&m, &symbol};
  Definition d = choose_here(m, symbol, found);
  if (d && elf::sym_binding(*d.symbol) == STB_GNU_UNIQUE && purpose != Purpose::copy)
    return unique(m.image.strings.data + symbol.st_name, d);
  return d;
}

}  // namespace

Definition choose(Module& m, const Sym& symbol, const Definition& found) {
  return choose_here(m, symbol, found);
}

Definition conclude(Module& m, const Sym& symbol, Purpose purpose, const Definition& found) {
  return conclude_here(m, symbol, purpose, found);
}

Definition resolve(Module& m, const Sym& symbol, std::uint32_t index, Purpose purpose) {
  if (refers_to_itself(symbol)) return {&m, &symbol};
  const char* name = m.image.strings.data + symbol.st_name;
  Request request = Request::of(name, version_of(m, index), purpose);
  request.leaving_too = m.leaving;
  Definition d = conclude_here(m, symbol, purpose,
                               find(__atomic_load_n(&m.scopes, __ATOMIC_ACQUIRE), request));
  if (d && log::wants(log::kBindings))
    log_binding(m, d, request, elf::sym_visibility(symbol) == STV_PROTECTED);
  return d;
}

}  // namespace myld::scope
