// The start of a process, as a list of passes.
#include "loader/base/mem.hpp"
#include "loader/find/timeline.hpp"
#include "loader/heap/hash.hpp"
#include "loader/map/spread.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/log.hpp"
#include "rtld/debug/probes.hpp"
#include "rtld/debug/r_debug.hpp"
#include "rtld/debug/reports.hpp"
#include "rtld/dlopen/audited.hpp"
#include "rtld/dlopen/dlfcn.hpp"
#include "rtld/dlopen/file_watch.hpp"
#include "rtld/dlopen/object_index.hpp"
#include "rtld/entry.hpp"
#include "rtld/glibc/start.hpp"
#include "rtld/init/order.hpp"
#include "rtld/init/run.hpp"
#include "rtld/relocate/relocate.hpp"
#include "rtld/scope/lookup.hpp"
#include "rtld/start/auditors.hpp"
#include "rtld/start/auxv.hpp"
#include "rtld/start/binding.hpp"
#include "rtld/start/command_line.hpp"
#include "rtld/start/config_file.hpp"
#include "rtld/start/environment.hpp"
#include "rtld/start/explain.hpp"
#include "rtld/start/information.hpp"
#include "rtld/start/modules.hpp"
#include "rtld/start/preloads.hpp"
#include "rtld/start/references.hpp"
#include "rtld/start/report.hpp"
#include "rtld/start/stack.hpp"
#include "rtld/start/start_report.hpp"
#include "rtld/start/trace.hpp"
#include "rtld/start/tree.hpp"

namespace myld {

alignas(Runtime) constinit unsigned char g_runtime_memory[sizeof(Runtime)] = {};

namespace start {
namespace {

using load::Module;

struct Start {
  Runtime& runtime;
  StartErrors errors;
  Vec<Module*> closure;       ///< program first, breadth-first; the global scope
  Vec<Module*> order;         ///< the same, dependencies first
  bool had_auditors = false;  ///< the first thread is there before the program's libraries
  int program_index = 0;      ///< direct: of the program's name in the stack's argv
  std::size_t indexed = 0;    ///< so many of the namespace's modules are in the index
  Binding binding;
  bool is_bound = false;  ///< the closure is what its binding file says

  debug::Times times;

  void mark(std::uint64_t& time) {
    if (log::wants(log::kStatistics)) time = sys::monotonic_ns();
  }

  explicit Start(Runtime& r) : runtime(r), errors(r), binding(r) {}

  void require(const Status& status) {
    if (status) return;
    errors.fail(status.error());
    errors.stop_if_any();
  }
};

[[noreturn]] void usage_error(Start& s, const Error& error) {
  s.errors.fail(error);
  {
    sys::Text hint(2);
    hint << "Try '" << s.runtime.argv[0] << " --help' for more information.\n";
  }
  sys::exit(1);
}

void give_permissions(Start& s) {
  const char* list = s.runtime.options.allow;
  if (list == nullptr) return;
  if (const char* word = allow(s.runtime.loader.policy, list))
    s.errors.warn({.code = Code::unknown_permission, .subject = word});
}

/// MYLD_HUGE_TEXT, or what the configuration says: of programs that run, and of images for them.
void decide_huge_text(Runtime& r) {
  const Options& o = r.options;
  r.loader.policy.huge_text = o.huge_text != nullptr && equal(o.huge_text, "yes") &&
                              (o.mode == Mode::run || o.mode == Mode::bind);
}

/// LD_DEBUG.
void start_log(Start& s) {
  Options& o = s.runtime.options;
  std::uint32_t categories = o.debug == nullptr ? 0 : log::parse(o.debug);
  if ((categories & log::kHelp) != 0) {
    log::print_help();
    sys::exit(0);
  }
  log::start(categories, o.debug_output);
  o.trace_unused = o.mode == Mode::trace && log::wants(log::kUnused);
  // What only calls refer to is in use as well.
  o.bind_now = o.bind_now || log::wants(log::kUnused);
  // Calls are counted where they go through unbound slots.
  if (o.profile != nullptr) o.bind_now = false;
  s.mark(s.times.begin);
}

/// Before any table has anything in it.
void choose_hash_key(const sys::InitialStack& stack) {
  const auto* random = reinterpret_cast<const std::uint64_t*>(stack.get(sys::kAtRandom));
  constexpr std::uint64_t kWord = 0x68617368;  // the gaps between modules come of small ones
  if (random != nullptr) myld::choose_hash_key(map::siphash({random[0], random[1]}, kWord));
}

/// What the kernel says, and what the user asks for.
void read_request(Start& s, std::uintptr_t* stack) {
  Runtime& r = s.runtime;
  r.stack = sys::InitialStack::at(stack);
  choose_hash_key(r.stack);
  r.argc = r.stack.argc();
  r.argv = r.stack.argv;
  r.envp = r.stack.envp;
  r.secure = is_secure(r.stack);
  r.direct = is_entry_point(r.stack.get(sys::kAtEntry));
  r.secure = glibc::read_tunables(r) || r.secure;
  r.loader.page_size = r.stack.get(sys::kAtPagesz, 4096);
  r.loader.searcher.config.secure = r.secure;
  read_environment(r);
  if (r.secure) s.require(open_standard_descriptors());
  glibc::read_early(r);
  start_log(s);
  if (r.options.show_auxv) show_auxv(r.stack);
  if (r.options.dynamic_weak) scope::prefer_strong_definitions();
  if (!r.direct) return give_permissions(s);
  CommandLine line = parse(r);
  if (line.error) usage_error(s, line.error);
  if (line.request != Request::program) {
    print_information(r, line.request);
    sys::exit(0);
  }
  if (line.program_index == 0) usage_error(s, {.code = Code::missing_program});
  give_permissions(s);
  if (r.options.trace_file != nullptr || r.options.report_file != nullptr) start_timeline();
  r.loader.as_data = r.options.mode == Mode::tree || r.options.mode == Mode::explain ||
                     r.options.mode == Mode::bind || r.options.mode == Mode::verify_binding;
  s.program_index = line.program_index;
  r.loader_file = command_file(r);
  if (r.argv[0] != nullptr) r.loader_name = r.argv[0];
  r.argc -= line.program_index;
  r.argv += line.program_index;
}

/// --verify: a loader is a library that needs nothing.
int verified(const Runtime& r, const Status& added) {
  if (!added) return added.error().code == Code::is_the_loader ? 2 : 1;
  return r.program->image.segments.first_of(PT_INTERP) != nullptr ? 0 : 2;
}

/// The loader's own module, the program, the vDSO: in the order that everybody expects of the
/// chain.
void add_first_modules(Start& s) {
  Runtime& r = s.runtime;
  r.first.id = 0;
  spread_modules(r);
  decide_huge_text(r);
  bool asked = r.direct && r.loader.policy.huge_text;
  if (!r.namespaces.push(&r.first)) s.require(Error{.code = Code::out_of_memory});
  if (r.direct) {
    Status added = add_named_program(r, r.argv[0], r.argv);
    if (r.options.mode == Mode::verify) sys::exit(verified(r, added));
    s.require(added);
    describe_program(r);
    if (r.options.argv0 != nullptr) r.argv[0] = const_cast<char*>(r.options.argv0);
    shift_stack(r, s.program_index);
    r.argc = r.stack.argc();
    r.argv = r.stack.argv;
    r.envp = r.stack.envp;
  } else {
    s.require(add_mapped_program(r));
  }
  s.require(read_config(r));
  decide_huge_text(r);
  // Its place is the kernel's choice, or was chosen before the configuration was read.
  if (r.loader.policy.huge_text && !r.loader.as_data && !asked)
    r.loader.ask_for_huge_text(*r.program);
  if (r.options.mode == Mode::run) s.require(check_entry(r));
  if (r.loader.as_data && r.loader.searcher.config.machine != &arch::kHostMachine) return;
  if (!r.loader.as_data) s.require(add_vdso(r));
  s.require(add_self(r));
  MYLD_PROBE_2("init_start", r.first.id, &_r_debug);
}

/// --tree, --explain.
[[noreturn]] void show_closure(Start& s) {
  Runtime& r = s.runtime;
  int status = s.errors.count == 0 ? 0 : 127;
  if (r.options.mode == Mode::tree) {
    write_tree(r, s.closure.span());
    if (status != 0 && !r.options.json) s.errors.failures.tell(r, status, false);
  } else {
    int found = explain(r, r.options.explain, s.closure.span());
    if (found != 0) status = found;
  }
  sys::exit(status);
}

/// --bind, --verify-binding.
[[noreturn]] void bind_closure(Start& s) {
  constexpr int kVersionStatus = 1;
  s.errors.stop_if_any(kVersionStatus);
  load::interposers_first({s.closure.begin(), s.closure.size()});
  if (!make_scopes(s.runtime, s.closure.span())) s.require(Error{.code = Code::out_of_memory});
  s.binding.finish(s.errors, s.order.span());
}

/// Everything that the program needs, directly or not, mapped.
void load_closure(Start& s) {
  timeline::Span pass("pass", "load");
  Runtime& r = s.runtime;
  s.mark(s.times.loading);
  s.binding.begin();
  Vec<Module*> created;
  if (!created.push(r.program)) s.require(Error{.code = Code::out_of_memory});
  if (r.loader.searcher.config.machine == &arch::kHostMachine)
    add_preloads(r, created, s.errors.sink());
  s.require(r.loader.load_closure({}, created, s.errors.sink()));
  for (Module* m : created) m->from_start = true;
  s.is_bound = s.binding.loaded(s.errors);
  s.mark(s.times.loaded);
  if (!load::breadth_first(*r.program, s.closure) ||
      !init::dependencies_first(s.closure.span(), false, s.order))
    s.require(Error{.code = Code::out_of_memory});
  bool binds = r.options.mode == Mode::bind || r.options.mode == Mode::verify_binding;
  if (r.loader.as_data && !binds) show_closure(s);
  if (s.errors.count != 0) s.errors.failures.find_the_rest(r, s.closure.span());
  s.errors.stop_if_any();
  if (s.is_bound) return;
  s.require(r.loader.check_versions(s.closure.span(), s.errors.sink()));
  if (binds) bind_closure(s);
  if (r.options.mode != Mode::run)
    trace(r, {s.closure.span(), s.order.span(), s.errors.missing.span()});
  constexpr int kVersionStatus = 1;
  s.errors.stop_if_any(kVersionStatus);
}

Status make_link_maps(Runtime& r) {
  for (Module* m : r.first.modules)
    if (!dlopen::make_link_map(r, *m))
      return Error{.code = Code::out_of_memory, .object = m->display};
  return {};
}

/// Which C library this is decides what the rest of the world expects of its loader.
void choose_abi(Start& s) {
  Runtime& r = s.runtime;
  auto abi = glibc::choose(r, s.closure.span());
  if (!abi) s.require(abi.error());
  // With auditors it was chosen before; a program with no libc keeps that one.
  if (r.abi == nullptr) r.abi = abi.value();
  s.require(make_link_maps(r));
}

/// Modules that are new in the list can be found by address and by handle.
void index_modules(Start& s) {
  const auto added = s.runtime.first.modules.span().subspan(s.indexed);
  dlopen::ObjectIndex* index = dlopen::index_with(added);
  void* no_handles = nullptr;
  if (index == nullptr || !dlopen::reserve_handles(added.size(), no_handles))
    s.require(Error{.code = Code::out_of_memory});
  dlopen::release_index(dlopen::publish_index(index));
  for (Module* m : added) dlopen::add_handle(*m);
  s.indexed += added.size();
}

/// Scopes, the chain that debuggers read, the index that readers use.
void publish_modules(Start& s) {
  Runtime& r = s.runtime;
  for (Module* m : s.closure) m->global = true;
  load::interposers_first({s.closure.begin(), s.closure.size()});
  r.first.global.list = load::make_list(s.closure.span());
  bool ok = r.first.global.list != nullptr;
  for (Module* m : r.first.modules) ok = ok && dlopen::make_scopes(*m, nullptr, false);
  if (!ok) s.require(Error{.code = Code::out_of_memory});
  index_modules(s);
  if (log::wants(log::kScopes)) debug::log_initial_scopes(r);
  debug::publish(r);
  // The loader comes last in the chain, where programs that walk it are used to find it.
  for (Module* m : r.first.modules)
    if (!m->is_loader) debug::link(r.first, *m);
  debug::link(r.first, *r.loader.self);
  if (r.abi->chain_changed != nullptr) r.abi->chain_changed(r, r.first);
}

/// Static TLS of all modules, the first thread's TCB. The thread pointer is set before anything is
/// relocated: IFUNC resolvers may read the stack guard.
Status make_first_thread(Runtime& r, std::uint64_t surplus) {
  tls::initialise(r.tls);
  r.tls.surplus = r.abi->static_tls_surplus + surplus;
  if (r.options.tls_surplus > r.tls.surplus) r.tls.surplus = r.options.tls_surplus;
  r.tls.optional_left = r.abi->static_tls_optional;
  r.tls.page_size = r.loader.page_size;
  r.tls.tcb_bytes = r.abi->tcb_bytes;
  r.tls.tcb_align = r.abi->tcb_align;
  for (Module* m : r.first.modules) MYLD_CHECK(tls::assign(r.tls, *m));
  if (r.abi->prepare != nullptr) MYLD_CHECK(r.abi->prepare(r));
  tls::finish_layout(r.tls);
  std::uintptr_t tp = MYLD_TRY(tls::create_first_thread(r.tls));
  r.abi->thread_created(r, tp);
  if (long e = arch::set_thread_pointer(tp); e < 0)
    return Error{.code = Code::out_of_memory, .sys_errno = static_cast<int>(-e)};
  if (r.abi->before_relocation != nullptr) r.abi->before_relocation(r);
  return {};
}

/// The libc that the program's search finds, looked at and put back: auditors are loaded before
/// anybody knows what the program needs. Errors: as Loader::open, unknown_libc.
Result<const abi::RuntimeAbi*> look_at_libc(Runtime& r) {
  load::Namespace scratch;
  Vec<Module*> created;
  Module* libc = MYLD_TRY(r.loader.open(scratch, "libc.so.6", r.program, false, created));
  auto abi = glibc::choose(r, {&libc, 1});
  r.loader.remove(*libc);
  return abi;
}

/// LD_AUDIT and its like, before anything is searched for the program. The thread is made with room
/// for the static TLS of modules that are not known yet.
void start_auditors(Start& s) {
  constexpr std::uint64_t kRoom = 4096;
  Runtime& r = s.runtime;
  if (r.loader.as_data || !wants_auditors(r)) return;
  auto abi = look_at_libc(r);
  // A list tells of a libc that is missing, or that nobody knows, in its own way.
  if (!abi && r.options.mode != Mode::run) return;
  if (!abi) return s.require(abi.error());
  r.abi = abi.value();
  s.require(make_link_maps(r));
  s.require(make_first_thread(r, kRoom));
  tls::initialise_first_thread(r.tls, arch::thread_pointer());
  s.had_auditors = true;
  index_modules(s);  // auditors unwind through the loader, and ask where they were called from
  load_auditors(r, s.errors);
  s.errors.stop_if_any();
}

void set_up_thread(Start& s) {
  timeline::Span pass("pass", "thread-local storage");
  Runtime& r = s.runtime;
  if (!s.had_auditors) return s.require(make_first_thread(r, 0));
  for (Module* m : r.first.modules)
    if (m->tls.module_id == 0) s.require(tls::assign(r.tls, *m));
}

/// Before any code of the program runs, its IFUNC resolvers included.
void set_global_pointer(const Module& program) {
  if constexpr (arch::Port::kGlobalPointer != nullptr) {
    scope::Request request =
        scope::Request::of(arch::Port::kGlobalPointer, nullptr, scope::Purpose::address);
    if (const elf::Sym* s = scope::find_in_module(program, request); s != nullptr)
      arch::set_global_pointer((program.image.bias + LinkAddr{s->st_value}).value);
  }
}

/// libc and dependencies first, the program last: its COPY relocations take what the others have
/// stored.
void relocate_modules(Start& s) {
  timeline::Span pass("pass", "relocate");
  set_global_pointer(*s.runtime.program);
  Runtime& r = s.runtime;
  s.mark(s.times.relocating);
  for (Module* m : {r.loader.self, r.vdso})
    if (m != nullptr) {
      m->advance(load::Stage::relocated);
      m->advance(load::Stage::running);
    }
  Vec<Module*> order;
  if (!order.reserve(s.order.size())) s.require(Error{.code = Code::out_of_memory});
  for (Module* m : s.order) order.push_reserved(m);
  relocate::libc_first(r, order);
  for (Module* m : order) {
    if (m->is_loader) continue;
    m->advance(load::Stage::scoped);
    m->lazy = !r.options.bind_now && !m->image.bind_now;
  }
  scope::Batch batch;
  if (!s.is_bound) {
    timeline::Span span("look up", "the references of all modules");
    relocate::look_up_references(order.span(), batch);
  }
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    if (order[i]->is_loader) continue;
    relocate::BoundSlots bound;
    relocate::FoundReferences found{&batch, i};
    if (s.is_bound) {
      bound = s.binding.slots_of(*order[i]);
      found.bound = &bound;
    }
    timeline::Span span("relocate", order[i]->display);
    Status status = relocate::relocate(r, *order[i], s.errors.sink(),
                                       batch.empty() && !s.is_bound ? nullptr : &found);
    if (!status) s.errors.fail(status.error());
  }
  s.errors.stop_if_any();
  s.binding.relocated(order.span(), s.errors);
  s.errors.stop_if_any();
  for (Module* m : order) s.require(init::check_functions(*m));
  s.require(FileWatch::check());
  // The images hold relocated words, so they are copied only now.
  if (s.had_auditors)
    s.require(tls::add_to_threads(r.tls, s.closure.span()));
  else
    tls::initialise_first_thread(r.tls, arch::thread_pointer());
  s.mark(s.times.relocated);
  if (log::wants(log::kStatistics)) debug::log_statistics(r, s.times);
}

void log_step(const char* what, const Module& m) {
  log::line("");
  log::line(what, m.display);
  log::line("");
}

/// MYLD_ALLOW=execstack: the first thread's; libc makes the others' after what it finds in the
/// ABI's record. Whoever is opened later and asks for one has it already.
void make_stack_executable(Start& s) {
  Runtime& r = s.runtime;
  if (!r.loader.policy.executable_stacks) return;
  std::uintptr_t page =
      round_down(reinterpret_cast<std::uintptr_t>(r.stack.base), r.loader.page_size);
  long result =
      sys::protect(reinterpret_cast<const void*>(page), r.loader.page_size,
                   sys::kProtRead | sys::kProtWrite | sys::kProtExec | sys::kProtGrowsDown);
  if (result < 0)
    s.require(Error{.code = Code::cannot_protect,
                    .sys_errno = static_cast<int>(-result),
                    .object = r.program->display,
                    .subject = "stack",
                    .value = page});
}

/// From here on nobody changes what libc and the loader call through, and what is never unloaded
/// keeps its protection.
void protect(Start& s) {
  Runtime& r = s.runtime;
  make_stack_executable(s);
  const Module& self = *r.loader.self;
  s.require(
      map::protect_relro(self.mapping, self.image.segments, r.loader.page_size, self.display));
  if (!r.loader.policy.seal ||
      !map::seal(self.mapping, self.image.segments, r.loader.page_size, r.abi->unsealed)) {
    r.tls.size_is_final = nullptr;
    return;
  }
  for (Module* m : s.closure)
    if (!m->is_loader) map::seal(m->mapping, m->image.segments, r.loader.page_size);
}

/// libc's own beginning, then constructors, dependencies first.
void initialise_modules(Start& s) {
  Runtime& r = s.runtime;
  if (r.abi->before_constructors != nullptr) r.abi->before_constructors(r);
  dlopen::take_profile(r);
  debug::announce(r.first, debug::State::consistent);
  MYLD_PROBE_2("init_complete", r.first.id, &_r_debug);
  audit::activity(r.audit, r.first, audit::kConsistent);
  r.started = true;
  r.loader.at_run_time = true;
  map::stop_spreading();
  init::run_preinit(r, *r.program);
  init::run_constructors(r, s.order.span(), r.envp);
  write_start_reports(r, s.closure.span());
  for (const char* what : {"initialize program: ", "transferring control: "})
    if (log::wants(log::kCalls)) log_step(what, *r.program);
}

}  // namespace
}  // namespace start
}  // namespace myld

extern "C" {

struct HandOver {
  std::uintptr_t entry;
  std::uintptr_t stack;
};

[[gnu::visibility("hidden")]] HandOver myld_main(std::uintptr_t* stack) {
  using namespace myld;
  Runtime& runtime = *new (g_runtime_memory) Runtime;
  start::Start s(runtime);
  start::read_request(s, stack);
  {
    FileWatch watch(runtime);
    start::add_first_modules(s);
    start::start_auditors(s);
    start::load_closure(s);
    start::choose_abi(s);
    start::set_up_thread(s);
    start::publish_modules(s);
    start::relocate_modules(s);
  }
  start::protect(s);
  start::initialise_modules(s);
  return {runtime.stack.get(sys::kAtEntry), reinterpret_cast<std::uintptr_t>(runtime.stack.base)};
}

/// The program registers this with atexit (AMD64 supplement 3.4.1: rdx at entry).
[[gnu::visibility("hidden")]] void myld_finalise() {
  myld::init::run_all_destructors(myld::the_runtime());
  if (myld::log::wants(myld::log::kStatistics))
    myld::debug::log_final_statistics(myld::the_runtime());
}
}
