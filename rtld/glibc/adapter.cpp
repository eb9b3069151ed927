#include "rtld/glibc/adapter.hpp"

#include "loader/base/mem.hpp"
#include "loader/base/start_only.hpp"
#include "rtld/glibc/record.hpp"
#include "rtld/glibc/storage.hpp"
#include "rtld/scope/lookup.hpp"

namespace myld::glibc {
namespace {

constexpr std::uint32_t kNtGnuBuildId = 3;

const void* find_for_detection(const void* context, const char* name, std::uint64_t* size) {
  const auto& libc = *static_cast<const load::Module*>(context);
  scope::Request request = scope::Request::of(name, nullptr, scope::Purpose::call);
  request.newest = true;
  const elf::Sym* s = scope::find_in_module(libc, request);
  if (s == nullptr) return nullptr;
  // What detection reads must be there: the whole object in one segment's file part.
  if (libc.image.segments.find_in_file({s->st_value}, s->st_size) == nullptr) return nullptr;
  if (size != nullptr) *size = s->st_size;
  return libc.image.at<const void>({s->st_value});
}

Status prepare(Runtime& runtime) {
  Adapter& a = g_adapter;
  if (a.layout->rseq == Rseq::static_tls) {
    // sysdeps/unix/sysv/linux: at least 32 bytes, aligned to at least 32, more if the kernel says
    // so.
    std::uint64_t feature = runtime.stack.get(sys::kAtRseqFeatureSize, 20);
    std::uint64_t align = runtime.stack.get(sys::kAtRseqAlign, 32);
    if (align < 32 || !is_power_of_two(align)) align = 32;
    a.rseq_bytes = round_up(feature < 32 ? 32 : feature, align);
    a.rseq_offset = runtime.tls.layout.place({a.rseq_bytes, align, 0});
  } else if (a.layout->rseq != Rseq::none) {
    a.rseq_bytes = 32;
    a.rseq_offset =
        a.layout->pthread.rseq_area - static_cast<std::int64_t>(descriptor_distance(*a.layout));
  }
  return {};
}

using EarlyInit = void (*)(bool);

void initialise_libc(const load::Module& libc, bool is_initial) {
  if (auto* init = find_in_libc(libc, "__libc_early_init"))
    reinterpret_cast<EarlyInit>(init)(is_initial);
}

void before_constructors(Runtime& runtime) {
  if (runtime.first.libc == nullptr) return;  // the program has none, an auditor does
  initialise_libc(*runtime.first.libc, true);
  register_fork_handlers(runtime);
}

void libc_loaded(Runtime&, load::Namespace& ns) {
  if (ns.libc != nullptr) initialise_libc(*ns.libc, false);
}

/// profil(3), whose scale is what part of the counters' index a step of two bytes makes, in
/// 1/65536.
void take_time(Runtime& runtime,
               std::uint16_t* counters,
               std::size_t bytes,
               std::uintptr_t from,
               std::size_t text_bytes) {
  using Profil = int (*)(std::uint16_t*, std::size_t, std::size_t, unsigned);
  void* profil =
      runtime.first.libc == nullptr ? nullptr : find_in_libc(*runtime.first.libc, "profil");
  if (profil == nullptr) return;
  auto scale = static_cast<unsigned>(bytes * 65536 / text_bytes);
  reinterpret_cast<Profil>(profil)(counters, bytes, from, scale);
}

/// The program may have changed its environment since the start: libc's variable tells.
char** environment(Runtime& runtime) {
  const load::Module* libc = runtime.first.libc;
  if (libc == nullptr) return runtime.envp;
  // Of a libc that stays it is looked up once. Threads may find it at the same time, and the same.
  static constinit char*** known = nullptr;
  char*** variable = __atomic_load_n(&known, __ATOMIC_RELAXED);
  if (variable == nullptr) {
    variable = static_cast<char***>(find_in_libc(*libc, "__environ"));
    if (libc->from_start) __atomic_store_n(&known, variable, __ATOMIC_RELAXED);
  }
  return variable == nullptr ? runtime.envp : *variable;
}

}  // namespace

MYLD_START_ONLY constinit Adapter g_adapter;

void* find_in_libc(const load::Module& libc, const char* name) {
  scope::Request request = scope::Request::of(name, nullptr, scope::Purpose::call);
  request.newest = true;
  const elf::Sym* s = scope::find_in_module(libc, request);
  return s == nullptr ? nullptr : libc.image.at<void>({s->st_value});
}

bool is_libc(const load::Module& m) {
  return m.image.soname != nullptr && equal(m.image.soname, "libc.so.6");
}

CpuFacts cpu_facts(const sys::InitialStack& stack) {
  return {.hwcap = stack.get(sys::kAtHwcap),
          .hwcap2 = stack.get(sys::kAtHwcap2),
          .hwcap3 = stack.get(sys::kAtHwcap3),
          .hwcap4 = stack.get(sys::kAtHwcap4),
          .min_sigstack = stack.get(sys::kAtMinsigstksz),
          .platform = reinterpret_cast<const char*>(stack.get(sys::kAtPlatform)),
          .kernel_release = nullptr};
}

Result<const abi::RuntimeAbi*> adapt(Runtime& runtime, load::Module& libc) {
  Adapter& a = g_adapter;
  LibcFacts facts{.build_id = elf::find_note(libc.image, "GNU", kNtGnuBuildId),
                  .context = &libc,
                  .find = find_for_detection};
  Detection d = recognise(facts);
  if (d.layout == nullptr) {
    static constinit char text[640];
    explain(d, text);
    return Error{.code = myld::Code::unknown_libc, .object = libc.display, .subject = text};
  }
  if (a.layout != nullptr) {
    if (a.layout != d.layout) return Error{.code = myld::Code::mixed_libc, .object = libc.display};
    return &a.runtime_abi;
  }
  a.layout = d.layout;
  a.tunables.bind(d.layout->tunables, d.tunables_certain, runtime.envp);
  const Layout& l = *a.layout;
  a.runtime_abi = {
      .name = "glibc",
      .link_map_bytes = l.link_map.size,
      .tcb_bytes =
          arch::Port::kTlsVariant == arch::TlsVariant::ii ? l.pthread.size : descriptor_distance(l),
      .tcb_align = 64,
      // glibc's own figure is 1664 (elf/dl-tls.c); this adds room for libraries that were built for
      // the program's TLS model, which otherwise cannot be opened late. Thread stacks of
      // PTHREAD_STACK_MIN bytes must still hold it.
      .static_tls_surplus =
          1664 + 4096 - 512 + a.tunables.number(TunableKey::rtld_optional_static_tls, 512),
      .static_tls_optional = a.tunables.number(TunableKey::rtld_optional_static_tls, 512),
      .unsealed = Record(_rtld_global_ro).at(l.rtld_global_ro._dl_tls_static_size),
      // riscv64: 2.36 leaves DT_FINI alone as it does DT_INIT; 2.41 and 2.43 call it.
      .calls_dt_fini = arch::Port::kInitFini || l.minor >= 39,
      .prepare = prepare,
      .module_added = fill_link_map,
      .module_removed = release_link_map_tail,
      .is_libc = is_libc,
      .chain_changed = namespace_changed,
      .thread_created = create_main_thread,
      .before_relocation = fill_globals,
      .before_constructors = before_constructors,
      .libc_loaded = libc_loaded,
      .environment = environment,
      .take_time = take_time,
      .has_pending_destructors = has_pending_destructors,
  };
  runtime.load_lock =
      static_cast<sys::RecursiveLock*>(Record(_rtld_global).at(l.rtld_global._dl_load_lock));
  runtime.chain_lock =
      static_cast<sys::RecursiveLock*>(Record(_rtld_global).at(l.rtld_global._dl_load_write_lock));
  runtime.load_lock->reset();
  runtime.chain_lock->reset();
  static_cast<sys::RecursiveLock*>(Record(_rtld_global).at(l.rtld_global._dl_load_tls_lock))
      ->reset();
  runtime.tls.slots_changed = slots_changed;
  runtime.tls.size_changes = change_static_size;
  runtime.tls.size_is_final = seal_static_size;
  return &a.runtime_abi;
}

}  // namespace myld::glibc
