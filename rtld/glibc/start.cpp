#include "rtld/glibc/start.hpp"

#include "arch/vector_state.hpp"
#include "loader/sys/calls.hpp"
#include "rtld/glibc/adapter.hpp"
#include "rtld/glibc/storage.hpp"

namespace myld::glibc {

namespace {

CpuResult examine(const Runtime& runtime) {
  return examine_cpu(cpu_facts(runtime.stack), g_adapter.tunables);
}

}  // namespace

bool read_tunables(Runtime& runtime) {
  // A malformed list is ignored without a word, as glibc did up to 2.38.
  g_adapter.tunables.init(host_known(), kTunableKeys, runtime.envp, runtime.secure, {});
  return g_adapter.tunables.asks_for_secure_mode();
}

std::span<const char* const> known_hwcaps() {
  constexpr int kHighestLevel = 4;
  return hwcaps_subdirectories(CpuResult{.isa_level = kHighestLevel});
}

std::span<const char* const> usable_hwcaps(Runtime& runtime) {
  return hwcaps_subdirectories(examine(runtime));
}

void print_tunables(Runtime& runtime) {
  examine(runtime);
  g_adapter.tunables.print(
      [](void*, std::string_view text) { sys::write_all(1, text.data(), text.size()); }, nullptr);
}

void read_early(Runtime& runtime) {
  __libc_enable_secure = runtime.secure ? 1 : 0;
  runtime.hwcaps = {runtime.stack.get(sys::kAtHwcap), runtime.stack.get(sys::kAtHwcap2),
                    runtime.stack.get(sys::kAtHwcap3), runtime.stack.get(sys::kAtHwcap4)};
  arch::set_hwcap(runtime.hwcaps.hwcap);
  runtime.loader.policy.branch_targets =
      (runtime.hwcaps.hwcap2 & arch::Port::kBranchTargets.hwcap2) != 0;
  runtime.loader.searcher.config.cpu = {
      .hwcaps = [](void* r) { return usable_hwcaps(*static_cast<Runtime*>(r)); },
      .platform = [](void* r) { return examine(*static_cast<Runtime*>(r)).platform; },
      .context = &runtime};
}

Result<const abi::RuntimeAbi*> choose(Runtime& runtime, std::span<load::Module* const> modules) {
  __libc_stack_end = runtime.stack.base;
  _dl_argv = runtime.argv;
  for (load::Module* m : modules)
    if (is_libc(*m)) {
      m->ns->libc = m;
      return adapt(runtime, *m);
    }
  return &abi::kBare;
}

}  // namespace myld::glibc
