#include "rtld/audit/audit.hpp"

#include "loader/sys/log.hpp"
#include "rtld/audit/profile.hpp"

#include <new>

namespace myld::audit {
namespace {

/// What one auditor keeps of a module.
struct View {
  std::uintptr_t cookie;
  unsigned flags;  ///< kBindTo, kBindFrom
};

/// What Module::audited points to.
struct Views {
  View of[kMaxAuditors] = {};
  bool told = false;  ///< la_objopen was called, la_objclose was not
  Call* calls = nullptr;
  std::uint64_t call_count = 0;
};

Views* views(const Module& m) { return static_cast<Views*>(m.audited); }

unsigned index_of(const scope::Definition& d) {
  return static_cast<unsigned>(d.symbol - d.module->image.symbols);
}

const char* name_of(const Module& m, const elf::Sym& symbol) {
  return m.image.strings.data + symbol.st_name;
}

bool is_interested(unsigned auditor, const Views& user, const Views& provider) {
  return (user.of[auditor].flags & kBindFrom) != 0 && (provider.of[auditor].flags & kBindTo) != 0;
}

/// Asks la_symbind64 of every auditor for which `wanted(i)`; `start(flags)` gives the flags that it
/// is called with, `result(i, flags)` is told what it made of them.
template <class Wanted, class Start, class Result>
std::uintptr_t ask(const State& s,
                   Views& user,
                   const scope::Definition& d,
                   std::uintptr_t value,
                   Wanted wanted,
                   Start start,
                   Result result) {
  Views& provider = *views(*d.module);
  elf::Sym symbol = *d.symbol;
  symbol.st_value = value;
  unsigned flags = 0;
  for (unsigned i = 0; i < s.count; ++i) {
    if (!wanted(i, user, provider)) continue;
    flags = start(flags);
    if (s.auditors[i].symbind != nullptr) {
      std::uintptr_t wants =
          s.auditors[i].symbind(&symbol, index_of(d), &user.of[i].cookie, &provider.of[i].cookie,
                                &flags, name_of(*d.module, *d.symbol));
      if (wants != symbol.st_value) flags |= kAlternative;
      symbol.st_value = wants;
    }
    result(i, flags);
  }
  return symbol.st_value;
}

bool is_audited(const Module& user, const scope::Definition& d) {
  return user.audited != nullptr && d.module != nullptr && d.module->audited != nullptr &&
         d.symbol != nullptr;
}

}  // namespace

bool add(State& s, const Hooks& hooks) {
  if (s.count == kMaxAuditors) return false;
  s.auditors[s.count++] = hooks;
  s.plt = s.plt || hooks.enter != nullptr || hooks.exit != nullptr;
  return true;
}

bool opened(State& s, Module& m) {
  if (!s.active() || m.ns->is_auditors || m.audited != nullptr) return true;
  void* memory = heap::allocate(sizeof(Views));
  if (memory == nullptr) return false;
  auto* v = new (memory) Views;
  m.audited = v;
  v->told = true;
  for (unsigned i = 0; i < s.count; ++i) {
    v->of[i].cookie = reinterpret_cast<std::uintptr_t>(m.link_map);
    if (s.auditors[i].objopen != nullptr)
      v->of[i].flags = s.auditors[i].objopen(m.link_map, m.ns->id, &v->of[i].cookie);
  }
  return true;
}

void closed(State& s, Module& m) {
  Views* v = views(m);
  if (v == nullptr || !v->told) return;
  v->told = false;
  for (unsigned i = 0; i < s.count; ++i)
    if (s.auditors[i].objclose != nullptr) s.auditors[i].objclose(&v->of[i].cookie);
}

void release(Module& m) {
  forget_profiled(m);
  Views* v = views(m);
  if (v == nullptr) return;
  m.audited = nullptr;
  heap::release(v->calls, v->call_count * sizeof(Call));
  heap::release(v, sizeof(Views));
}

void activity(State& s, load::Namespace& ns, Activity what) {
  if (!s.active() || ns.is_auditors || ns.modules.empty()) return;
  Views* v = views(*ns.modules[0]);
  if (v == nullptr || ns.announced == what) return;
  ns.announced = what;
  for (unsigned i = 0; i < s.count; ++i)
    if (s.auditors[i].activity != nullptr) s.auditors[i].activity(&v->of[i].cookie, what);
}

const char* search(State& s, const char* name, const find::Requester* requester, find::By by) {
  unsigned flag = 0;
  switch (by) {
  case find::By::name: flag = 0x01; break;  // LA_SER_ORIG
  case find::By::library_path: flag = 0x02; break;
  case find::By::rpath:
  case find::By::note:
  case find::By::runpath: flag = 0x04; break;
  case find::By::map:
  case find::By::config:
  case find::By::cache: flag = 0x08; break;
  case find::By::standard: flag = 0x40; break;
  case find::By::path: return name;
  }
  auto* m = requester == nullptr ? nullptr : static_cast<Module*>(requester->owner);
  Views* v = m == nullptr ? nullptr : views(*m);
  if (v == nullptr) return name;
  for (unsigned i = 0; name != nullptr && i < s.count; ++i)
    if (s.auditors[i].objsearch != nullptr)
      name = s.auditors[i].objsearch(name, &v->of[i].cookie, flag);
  return name;
}

void preinit(State& s, Module& program) {
  Views* v = views(program);
  for (unsigned i = 0; v != nullptr && i < s.count; ++i)
    if (s.auditors[i].preinit != nullptr) s.auditors[i].preinit(&v->of[i].cookie);
}

std::uintptr_t bound_now(State& s, Module& user, const scope::Definition& d, std::uintptr_t value) {
  if (!is_audited(user, d)) return value;
  return ask(
      s, *views(user), d, value, is_interested,
      [](unsigned flags) { return flags | kNoEnter | kNoExit; }, [](unsigned, unsigned) {});
}

std::uintptr_t
bound_by_dlsym(State& s, Module& user, const scope::Definition& d, std::uintptr_t value) {
  if (!is_audited(user, d)) return value;
  // For dlsym one side's interest is enough.
  auto wanted = [](unsigned i, const Views& from, const Views& to) {
    return (from.of[i].flags & kBindFrom) != 0 || (to.of[i].flags & kBindTo) != 0;
  };
  return ask(
      s, *views(user), d, value, wanted,
      [](unsigned flags) { return (flags & kAlternative) | kByDlsym; }, [](unsigned, unsigned) {});
}

bool sees_calls(const State& s, const Module& m) {
  const Views* v = views(m);
  for (unsigned i = 0; s.plt && v != nullptr && i < s.count; ++i)
    if ((v->of[i].flags & kBindFrom) != 0 &&
        (s.auditors[i].enter != nullptr || s.auditors[i].exit != nullptr))
      return true;
  return false;
}

Call* call_at(Module& m, std::uint64_t index) {
  Views* v = views(m);
  if (v == nullptr || index >= m.image.jmprel.size()) return nullptr;
  if (v->calls == nullptr) {
    std::uint64_t count = m.image.jmprel.size();
    auto* calls = static_cast<Call*>(heap::allocate(count * sizeof(Call)));
    if (calls == nullptr) return nullptr;
    for (std::uint64_t i = 0; i < count; ++i) new (calls + i) Call;
    Call* none = nullptr;
    v->call_count = count;
    // Two threads may come here at once.
    if (!__atomic_compare_exchange_n(&v->calls, &none, calls, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE))
      heap::release(calls, count * sizeof(Call));
  }
  return &v->calls[index];
}

void bound(State& s, Module& user, const scope::Definition& d, std::uintptr_t value, Call& call) {
  Call made;
  made.symbol = d.symbol;
  made.value = value;
  for (std::uint8_t& off : made.off) off = kNoEnter | kNoExit;
  if (is_audited(user, d))
    made.value = ask(
        s, *views(user), d, value, is_interested, [](unsigned flags) { return flags; },
        [&](unsigned i, unsigned flags) {
          made.flags = flags;
          made.off[i] = static_cast<std::uint8_t>(flags & (kNoEnter | kNoExit));
          if (s.auditors[i].enter == nullptr) made.off[i] |= kNoEnter;
          if (s.auditors[i].exit == nullptr) made.off[i] |= kNoExit;
        });
  for (std::uint8_t off : made.off) made.quiet = made.quiet && off == (kNoEnter | kNoExit);
  call = made;
  // Last: another thread takes the record for complete when it sees the provider.
  __atomic_store_n(&call.provider, d.module == nullptr ? &user : d.module, __ATOMIC_RELEASE);
}

std::uintptr_t enter(State& s, Module& user, Call& call, void* registers, long& frame_bytes) {
  if (call.quiet) return call.value;
  scope::Definition d{call.provider, call.symbol};
  elf::Sym symbol = *call.symbol;
  symbol.st_value = call.value;
  unsigned flags = call.flags;
  Views& from = *views(user);
  Views& to = *views(*call.provider);
  for (unsigned i = 0; i < s.count; ++i) {
    long bytes = -1;
    if (s.auditors[i].enter != nullptr && (call.off[i] & kNoEnter) == 0) {
      std::uintptr_t wants =
          s.auditors[i].enter(&symbol, index_of(d), &from.of[i].cookie, &to.of[i].cookie, registers,
                              &flags, name_of(*d.module, *d.symbol), &bytes);
      if (wants != symbol.st_value) flags |= kAlternative;
      symbol.st_value = wants;
      // The hook may say that it has seen enough of this symbol.
      call.off[i] |= static_cast<std::uint8_t>(flags & (kNoEnter | kNoExit));
    }
    if ((call.off[i] & kNoExit) == 0 && bytes > frame_bytes) frame_bytes = bytes;
  }
  return symbol.st_value;
}

void exit(State& s, Module& user, Call& call, const void* registers, void* results) {
  scope::Definition d{call.provider, call.symbol};
  elf::Sym symbol = *call.symbol;
  symbol.st_value = call.value;
  Views& from = *views(user);
  Views& to = *views(*call.provider);
  for (unsigned i = 0; i < s.count; ++i)
    if (s.auditors[i].exit != nullptr && (call.off[i] & kNoExit) == 0)
      s.auditors[i].exit(&symbol, index_of(d), &from.of[i].cookie, &to.of[i].cookie, registers,
                         results, name_of(*d.module, *d.symbol));
}

}  // namespace myld::audit
