#include "rtld/init/run.hpp"

#include "loader/base/mem.hpp"
#include "loader/find/timeline.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/log.hpp"
#include "rtld/entry.hpp"
#include "rtld/init/gate.hpp"
#include "rtld/init/order.hpp"

#include <algorithm>

namespace myld::init {
namespace {

using load::Stage;

/// A thread that waits for a module's constructors, so that two threads never wait for each other.
struct Waiter {
  std::uintptr_t thread;
  const Module* module;
  Waiter* next;
};

constinit Waiter* g_waiters = nullptr;  // under the load lock
constinit std::uint32_t g_changes = 0;  // futex word: bumped when a stage changes

/// Would waiting for `module` close a circle of threads that wait for each other?
bool would_deadlock(const Module& module, std::uintptr_t me) {
  std::uintptr_t thread = module.initialiser;
  // Each step follows one waiter; there are at most as many steps as waiters.
  for (const Waiter* w = g_waiters; w != nullptr;) {
    if (thread == me) return true;
    if (w->thread == thread) {
      if (w->module->stage != Stage::initialising) return false;
      thread = w->module->initialiser;
      w = g_waiters;
      if (thread == me) return true;
      continue;
    }
    w = w->next;
  }
  return thread == me;
}

/// Needs: the load lock, which is dropped while waiting.
void wait_for(Runtime& runtime, const Module& module, std::uintptr_t me) {
  Waiter self{me, &module, g_waiters};
  g_waiters = &self;
  while (module.stage_now() == Stage::initialising && !would_deadlock(module, me)) {
    std::uint32_t seen = __atomic_load_n(&g_changes, __ATOMIC_ACQUIRE);
    unlock_load(runtime);
    sys::futex_wait(&g_changes, seen);
    lock_load(runtime);
  }
  for (Waiter** w = &g_waiters; *w != nullptr; w = &(*w)->next)
    if (*w == &self) {
      *w = self.next;
      break;
    }
}

/// Needs: the load lock, under which waiters enter their list: without one nobody sleeps.
void announce_change() {
  __atomic_add_fetch(&g_changes, 1, __ATOMIC_RELEASE);
  if (g_waiters != nullptr) sys::futex_wake(&g_changes, INT32_MAX);
}

using Initialiser = void (*)(int, char**, char**);

void log_call(const char* what, const Module& m) {
  if (!log::wants(log::kCalls)) return;
  log::line("");
  log::line(what, m.display);
  log::line("");
}

/// Told of every module, whether it has destructors or not: the order is what is looked for.
void log_destructors(const Module& m) {
  if (!log::wants(log::kCalls)) return;
  log::line("");
  log::line("calling fini: ", log::In{m.display, m.ns->id});
  log::line("");
}

void call_constructors(const Runtime& runtime, const Module& m, char** envp) {
  const elf::Initialisers& i = m.image.init;
  timeline::Span span("init", m.display);
  log_call("calling init: ", m);
  if (i.init.value != 0)
    m.image.at<void(int, char**, char**)>(i.init)(runtime.argc, runtime.argv, envp);
  for (std::uintptr_t f : i.init_array)
    reinterpret_cast<Initialiser>(f)(runtime.argc, runtime.argv, envp);
}

void call_destructors(const Runtime& runtime, const Module& m) {
  const elf::Initialisers& i = m.image.init;
  log_destructors(m);
  for (std::size_t n = i.fini_array.size(); n-- > 0;)
    reinterpret_cast<void (*)()>(i.fini_array[n])();
  if (i.fini.value != 0 && runtime.abi->calls_dt_fini) m.image.at<void()>(i.fini)();
}

/// True if the caller is to run the module's constructors; it is then marked as initialising.
bool claim(Runtime& runtime, Module& m, std::uintptr_t me) {
  LoadGuard guard(runtime);
  while (m.stage == Stage::initialising && m.initialiser != me) {
    if (would_deadlock(m, me)) return false;
    wait_for(runtime, m, me);
    if (would_deadlock(m, me)) return false;
  }
  if (m.stage != Stage::relocated) return false;
  m.initialiser = me;
  m.init_rank = ++runtime.next_init_rank;
  m.advance(Stage::initialising);
  return true;
}

/// Functions of other modules that an array of constructors or destructors names. Most are the
/// module's own; but a relocation may name a function of another one, as AddressSanitizer's does in
/// a program's DT_PREINIT_ARRAY. Each must be where a symbol says that a function begins. There may
/// be any number, so they are looked for together, in one walk through the symbols of a module.
class ForeignFunctions {
public:
  [[nodiscard]] bool add(std::uintptr_t address) { return all_.push({address, false}); }

  void look_for(const load::Namespace& ns) {
    if (all_.empty()) return;
    std::sort(all_.begin(), all_.end(),
              [](const Function& a, const Function& b) { return a.address < b.address; });
    for (const Module* m : ns.modules) look_in(*m);
  }
  /// Needs: it was added, and looked for.
  bool is_known(std::uintptr_t address) { return first_from(address)->known; }

private:
  struct Function {
    std::uintptr_t address;
    bool known;  ///< of the first of equal ones
  };

  Function* first_from(std::uintptr_t address) {
    return std::lower_bound(all_.begin(), all_.end(), address,
                            [](const Function& f, std::uintptr_t a) { return f.address < a; });
  }
  void look_in(const Module& m) {
    const Function* any = first_from(m.mapping.start.value);
    if (any == all_.end() || !m.contains(any->address)) return;
    for (std::uint32_t i = 1; i < m.image.symbol_limit; ++i) {
      const elf::Sym& s = m.image.symbols[i];
      if (s.st_shndx == SHN_UNDEF || elf::sym_type(s) != STT_FUNC) continue;
      Function* f = first_from((m.image.bias + LinkAddr{s.st_value}).value);
      if (f != all_.end() && f->address == (m.image.bias + LinkAddr{s.st_value}).value &&
          m.image.segments.is_code({s.st_value}))
        f->known = true;
    }
  }

  Vec<Function> all_;
};

}  // namespace

Status check_functions(const Module& m) {
  const elf::Initialisers& i = m.image.init;
  struct Array {
    const char* name;
    std::span<const std::uintptr_t> functions;
  };
  Array arrays[] = {{"DT_PREINIT_ARRAY", i.preinit_array},
                    {"DT_INIT_ARRAY", i.init_array},
                    {"DT_FINI_ARRAY", i.fini_array}};
  if (!m.is_program) arrays[0].functions = {};
  ForeignFunctions foreign;
  for (const Array& a : arrays)
    for (std::uintptr_t f : a.functions)
      if (!m.contains(f) && !foreign.add(f))
        return Error{.code = Code::out_of_memory, .object = m.display};
  foreign.look_for(*m.ns);
  for (const Array& a : arrays)
    for (std::uintptr_t f : a.functions)
      if (m.contains(f) ? !m.image.segments.is_code(RunAddr{f} - m.image.bias)
                        : !foreign.is_known(f))
        return Error{
            .code = Code::bad_code_address, .object = m.display, .subject = a.name, .value = f};
  return {};
}

void run_constructors(Runtime& runtime, std::span<Module* const> order, char** envp) {
  std::uintptr_t me = arch::thread_pointer();
  for (Module* m : order) {
    if (m->stage_now() >= Stage::running) continue;
    ForeignCode here;  // before the claim: a forked child must not find it claimed and never run
    if (!claim(runtime, *m, me)) continue;
    // libc runs the program's own, from the link_map, or the program's start code does.
    if (!m->is_program && !m->is_loader) call_constructors(runtime, *m, envp);
    LoadGuard guard(runtime);
    m->advance(Stage::running);
    m->initialiser = 0;
    announce_change();
  }
}

void run_preinit(Runtime& runtime, Module& program) {
  if (!program.image.init.preinit_array.empty()) log_call("calling preinit: ", program);
  for (std::uintptr_t f : program.image.init.preinit_array)
    reinterpret_cast<Initialiser>(f)(runtime.argc, runtime.argv, runtime.envp);
}

void run_destructors(Runtime& runtime, std::span<Module* const> order) {
  for (Module* m : order) {
    ForeignCode here;
    {
      LoadGuard guard(runtime);
      // A module whose constructors have begun is finalised too, as exit() inside one must do.
      if (m->stage != Stage::running && m->stage != Stage::initialising) continue;
      m->advance(Stage::finalising);
    }
    if (!m->is_loader && m != runtime.vdso) call_destructors(runtime, *m);
    if (m != runtime.vdso) audit::closed(runtime.audit, *m);
    LoadGuard guard(runtime);
    m->advance(Stage::finalised);
    announce_change();
  }
}

namespace {

void run_namespace_destructors(Runtime& runtime, load::Namespace& ns) {
  Vec<Module*> order;
  {
    LoadGuard guard(runtime);
    if (!dependencies_first(ns.modules.span(), true, order)) return;
    // A destructor may close a library whose own destructors are still to come.
    for (Module* m : order) m->permanent = true;
  }
  for (std::size_t n = 0; n < order.size() / 2; ++n) {
    Module* m = order[n];
    order[n] = order[order.size() - 1 - n];
    order[order.size() - 1 - n] = m;
  }
  audit::activity(runtime.audit, ns, audit::kDelete);
  run_destructors(runtime, order.span());
  audit::activity(runtime.audit, ns, audit::kConsistent);
}

}  // namespace

void run_all_destructors(Runtime& runtime) {
  // Auditors come last: they are told of the others' ends.
  for (bool auditors : {false, true})
    for (std::size_t i = runtime.namespaces.size(); i-- > 0;) {
      load::Namespace* ns = runtime.namespaces[i];
      if (ns != nullptr && ns->is_auditors == auditors) run_namespace_destructors(runtime, *ns);
    }
}

void forget_other_threads(Runtime& runtime) {
  std::uintptr_t me = arch::thread_pointer();
  g_waiters = nullptr;
  for (load::Namespace* ns : runtime.namespaces) {
    if (ns == nullptr) continue;
    for (Module* m : ns->modules)
      if (m->stage == Stage::initialising && m->initialiser != me) {
        m->advance(Stage::running);
        m->initialiser = 0;
      }
  }
}

}  // namespace myld::init
