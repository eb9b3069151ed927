// _rtld_global_ro and _rtld_global: what libc reads of its loader's state. Which function reads
// which member is in rtld/glibc/layout.hpp.
#include "loader/base/mem.hpp"
#include "rtld/glibc/adapter.hpp"
#include "rtld/glibc/calls.hpp"
#include "rtld/glibc/record.hpp"
#include "rtld/glibc/storage.hpp"
#include "rtld/scope/lookup.hpp"

namespace myld::glibc {
namespace {

/// Two words that are not zero and equal say "the loader is active and has no directories to free".
constinit std::uint64_t g_no_directories[8] = {};

void* find_in_vdso(const load::Module& vdso, const char* name) {
  scope::Request request = scope::Request::of(name, nullptr, scope::Purpose::call);
  request.newest = true;
  const elf::Sym* s = scope::find_in_module(vdso, request);
  return s == nullptr ? nullptr : vdso.image.at<void>({s->st_value});
}

void put_function(const Record& record, Offset at, void* function) { record.put(at, function); }

void fill_read_only(Runtime& runtime) {
  const Adapter& a = g_adapter;
  const auto& l = a.layout->rtld_global_ro;
  const sys::InitialStack& stack = runtime.stack;
  Record ro(_rtld_global_ro);
  ro.put<std::uint64_t>(l._dl_pagesize, runtime.loader.page_size);
  ro.put<std::uint64_t>(l._dl_minsigstacksize, a.cpu.min_sigstack);
  ro.put<std::int32_t>(l._dl_clktck, static_cast<std::int32_t>(stack.get(sys::kAtClktck, 100)));
  if (arch::Port::kFpuControl != 0)
    ro.put<std::uint16_t>(l._dl_fpu_control, static_cast<std::uint16_t>(arch::Port::kFpuControl));
  ro.put<std::uint64_t>(l._dl_hwcap, a.cpu.dl_hwcap);
  ro.put<std::uint64_t>(l._dl_hwcap2, stack.get(sys::kAtHwcap2));
  ro.put<std::uint64_t>(l._dl_hwcap3, stack.get(sys::kAtHwcap3));
  ro.put<std::uint64_t>(l._dl_hwcap4, stack.get(sys::kAtHwcap4));
  ro.put(l._dl_auxv, stack.auxv);
  ro.put(l._dl_platform, a.cpu.platform);
  ro.put<std::uint64_t>(l._dl_platformlen, a.cpu.platform == nullptr ? 0 : strlen(a.cpu.platform));
  ro.put<std::int32_t>(l._dl_lazy, runtime.options.bind_now ? 0 : 1);
  ro.put<std::uint64_t>(l._dl_tls_static_size, tls::static_size(runtime.tls));
  ro.put<std::uint64_t>(l._dl_tls_static_align, tls::static_align(runtime.tls));
  ro.put<std::uint64_t>(l._dl_tls_static_surplus, runtime.tls.surplus);
  ro.put<void*>(l._dl_init_all_dirs, g_no_directories);
  ro.put<std::uint64_t>(l._dl_sysinfo_dso, stack.get(sys::kAtSysinfoEhdr));
  put_function(ro, l._dl_debug_printf, reinterpret_cast<void*>(&debug_printf));
  put_function(ro, l._dl_mcount, reinterpret_cast<void*>(&_dl_mcount));
  put_function(ro, l._dl_tls_get_addr_soft, reinterpret_cast<void*>(&tls_get_addr_soft));
  put_function(ro, l._dl_libc_freeres, reinterpret_cast<void*>(&libc_freeres));
  put_function(ro, l._dl_find_object, reinterpret_cast<void*>(&find_object));
  put_function(ro, l._dl_readonly_area, reinterpret_cast<void*>(&readonly_area));
  put_function(ro, l._dl_lookup_symbol_x, reinterpret_cast<void*>(&lookup_symbol_x));
  put_function(ro, l._dl_open, reinterpret_cast<void*>(&slot_open));
  put_function(ro, l._dl_close, reinterpret_cast<void*>(&slot_close));
  put_function(ro, l._dl_catch_error, reinterpret_cast<void*>(&_dl_catch_error));
  put_function(ro, l._dl_error_free, reinterpret_cast<void*>(&error_free));
}

void fill_writable(Runtime& runtime) {
  const auto& l = g_adapter.layout->rtld_global;
  Record global(_rtld_global);
  // What pthread_create gives the stacks that it makes.
  bool executable = runtime.loader.policy.executable_stacks;
  std::uint32_t pf = PF_R | PF_W | (executable ? PF_X : 0u);
  std::uint32_t prot = sys::kProtRead | sys::kProtWrite | (executable ? sys::kProtExec : 0);
  global.put<std::uint32_t>(l._dl_stack_flags, pf);
  global.put<std::uint32_t>(l._dl_stack_prot_flags, prot);
  global.put<void*>(l._dl_all_dirs, g_no_directories);
  global.put<std::uint64_t>(l._dl_tls_static_used, runtime.tls.layout.used());
}

}  // namespace

void fill_vdso(Runtime& runtime) {
  if (runtime.vdso == nullptr) return;
  const auto& l = g_adapter.layout->rtld_global_ro;
  Record ro(_rtld_global_ro);
  const load::Module& v = *runtime.vdso;
  ro.put(l._dl_vdso_clock_gettime64, find_in_vdso(v, arch::Port::kVdsoClockGettime));
  ro.put(l._dl_vdso_gettimeofday, find_in_vdso(v, arch::Port::kVdsoGettimeofday));
  ro.put(l._dl_vdso_time, find_in_vdso(v, "__vdso_time"));
  ro.put(l._dl_vdso_getcpu, find_in_vdso(v, "__vdso_getcpu"));
  ro.put(l._dl_vdso_clock_getres_time64, find_in_vdso(v, arch::Port::kVdsoClockGetres));
  ro.put(l._dl_vdso_getrandom, find_in_vdso(v, arch::Port::kVdsoGetrandom));
  ro.put(l._dl_vdso_riscv_hwprobe, find_in_vdso(v, "__vdso_riscv_hwprobe"));
  // time and gettimeofday of old releases look the vDSO up through its link_map.
  ro.put(l._dl_sysinfo_map, v.link_map);
}

void fill_globals(Runtime& runtime) {
  Adapter& a = g_adapter;
  const auto& l = a.layout->rtld_global_ro;
  Offset block =
      l._dl_x86_cpu_features != kAbsent ? l._dl_x86_cpu_features : l._dl_aarch64_cpu_features;
  a.cpu = fill_cpu_features(
      *a.layout, cpu_facts(runtime.stack), a.tunables,
      block == kAbsent ? nullptr : reinterpret_cast<std::byte*>(_rtld_global_ro) + block);
  fill_read_only(runtime);
  fill_vdso(runtime);
  install_dlfcn_hook();
  fill_writable(runtime);
}

}  // namespace myld::glibc
