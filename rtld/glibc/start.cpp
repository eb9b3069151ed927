#include "rtld/glibc/start.hpp"

#include "rtld/glibc/adapter.hpp"
#include "rtld/glibc/storage.hpp"

namespace myld::glibc {

void read_early(Runtime& runtime) {
  read_early_environment(runtime);
  // No string here: it is asked for again with the libc's own table.
  __libc_enable_secure = runtime.secure ? 1 : 0;
  runtime.hwcaps = {runtime.stack.get(sys::kAtHwcap), runtime.stack.get(sys::kAtHwcap2),
                    runtime.stack.get(sys::kAtHwcap3), runtime.stack.get(sys::kAtHwcap4)};
  runtime.loader.searcher.config.platform =
      reinterpret_cast<const char*>(runtime.stack.get(sys::kAtPlatform));
}

Result<const abi::RuntimeAbi*> choose(Runtime& runtime, std::span<load::Module* const> modules) {
  __libc_stack_end = runtime.stack.base;
  _dl_argv = runtime.argv;
  for (load::Module* m : modules)
    if (is_libc(*m)) {
      runtime.first.libc = m;
      return adapt(runtime, *m);
    }
  return &abi::kBare;
}

}  // namespace myld::glibc
