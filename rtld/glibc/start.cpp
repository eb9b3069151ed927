#include "rtld/glibc/start.hpp"

#include "arch/vector_state.hpp"
#include "loader/base/mem.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/text.hpp"
#include "rtld/glibc/adapter.hpp"
#include "rtld/glibc/storage.hpp"

namespace myld::glibc {

namespace {

/// What the processor is found to be narrows the bounds of tunables. Once the program runs they are
/// read-only and libc has them, so that a search then has only a copy to narrow.
CpuResult examine(const Runtime& runtime) {
  if (!runtime.started) return examine_cpu(cpu_facts(runtime.stack), g_adapter.tunables);
  Tunables copy = g_adapter.tunables;
  return examine_cpu(cpu_facts(runtime.stack), copy);
}

/// The number at the start of `text`, which loses it and the dot behind it.
std::uint32_t take_number(const char*& text) {
  std::uint32_t n = 0;
  for (; *text >= '0' && *text <= '9'; ++text) n = n * 10 + static_cast<std::uint32_t>(*text - '0');
  if (*text == '.') ++text;
  return n;
}

/// "1.2.3 or newer, this is RELEASE".
Error too_old(const load::Module& libc,
              std::span<const std::uint32_t> version,
              const char* release) {
  static constinit char text[128];
  char* to = text;
  for (std::uint32_t n : version) {
    char digits[10];
    int count = 0;
    do digits[count++] = static_cast<char>('0' + n % 10);
    while ((n /= 10) != 0);
    if (to != text) *to++ = '.';
    while (count != 0) *to++ = digits[--count];
  }
  for (const char* part : {" or newer, this is ", release})
    while (*part != 0) *to++ = *part++;
  return {.code = myld::Code::kernel_too_old, .object = libc.display, .subject = text};
}

/// A C library says which kernel it was configured for (--enable-kernel): calls that this kernel
/// has are used without a second way. Source: "Linux Standard Base", NT_GNU_ABI_TAG.
Status check_kernel(const load::Module& libc) {
  constexpr std::uint32_t kAbiTag = 1, kLinux = 0;
  struct Tag {
    std::uint32_t system, version[3];
  } tag;
  auto note = elf::find_note(libc.image, "GNU", kAbiTag);
  if (note.size() < sizeof tag) return {};
  memcpy(&tag, note.data(), sizeof tag);
  sys::SystemName name;
  if (tag.system != kLinux || sys::uname(&name) < 0) return {};
  const char* at = name.release;
  for (std::uint32_t wanted : tag.version) {
    std::uint32_t here = take_number(at);
    if (here > wanted) return {};
    if (here < wanted) return too_old(libc, tag.version, name.release);
  }
  return {};
}

/// The words are those of glibc 2.39 and later; up to 2.38 it said nothing.
void warn_of_tunable(void*, const char* name, std::string_view value) {
  sys::Text out(2);
  out << "WARNING: ld.so: invalid GLIBC_TUNABLES " << (name == nullptr ? "`" : "value `") << value;
  if (name != nullptr) out << "' for option `" << name;
  out << "': ignored.\n";
}

}  // namespace

bool read_tunables(Runtime& runtime) {
  g_adapter.tunables.init(host_known(), kTunableKeys, runtime.envp, runtime.secure,
                          {warn_of_tunable, nullptr});
  return g_adapter.tunables.asks_for_secure_mode();
}

std::span<const char* const> known_hwcaps() {
  constexpr int kHighestLevel = 4;
  return hwcaps_subdirectories(CpuResult{.isa_level = kHighestLevel});
}

std::span<const char* const> usable_hwcaps(Runtime& runtime) {
  return hwcaps_subdirectories(examine(runtime));
}

bool find_system_libc(Runtime& runtime) {
  load::Namespace scratch;
  Vec<load::Module*> created;
  auto libc = runtime.loader.open(scratch, "libc.so.6", nullptr, false, created);
  bool known = libc && adapt(runtime, *libc.value());
  if (libc) runtime.loader.remove(*libc.value());
  return known;
}

CpuResult print_cpu(Runtime& runtime, sys::Text* out) {
  if (g_adapter.layout == nullptr) return examine(runtime);
  return describe_cpu(*g_adapter.layout, cpu_facts(runtime.stack), g_adapter.tunables, out);
}

void print_tunables(Runtime& runtime) {
  print_cpu(runtime, nullptr);
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
      MYLD_CHECK(check_kernel(*m));
      m->ns->libc = m;
      return adapt(runtime, *m);
    }
  return &abi::kBare;
}

}  // namespace myld::glibc
