#include "rtld/start/environment.hpp"

#include "loader/base/mem.hpp"

namespace myld::start {
namespace {

/// The value if `entry` is "NAME=value", else nullptr.
char* value_of(char* entry, const char* name) {
  while (*name != 0 && *entry == *name) {
    ++entry;
    ++name;
  }
  return *name == 0 && *entry == '=' ? entry + 1 : nullptr;
}

bool is_set(const char* value) { return *value != 0; }

struct TextVariable {
  const char* name;
  const char* Options::*text;
};
struct SwitchVariable {
  const char* name;
  bool Options::*flag;
};

constexpr TextVariable kTexts[] = {
    {"LD_PRELOAD", &Options::preload},
    {"LD_ORIGIN_PATH", &Options::origin_path},
};
constexpr SwitchVariable kSwitches[] = {
    {"LD_BIND_NOW", &Options::bind_now},
    {"LD_BIND_NOT", &Options::bind_not},
    {"LD_TRACE_LOADED_OBJECTS", &Options::trace_objects},
    {"LD_WARN", &Options::trace_relocate},
    {"LD_VERBOSE", &Options::trace_versions},
    {"LD_SHOW_AUXV", &Options::show_auxv},
};

/// Removed from the environment in secure execution: they steer the loader, libc or what libc
/// opens. Source: glibc's unsecvars.h, the list of names.
constexpr const char* kUnsafe[] = {
    "GCONV_PATH",       "GETCONF_DIR",
    "GLIBC_TUNABLES",   "HOSTALIASES",
    "LOCALDOMAIN",      "LOCPATH",
    "MALLOC_ARENA_MAX", "MALLOC_ARENA_TEST",
    "MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_PERTURB_",  "MALLOC_TOP_PAD_",
    "MALLOC_TRACE",     "MALLOC_TRIM_THRESHOLD_",
    "NIS_PATH",         "NLSPATH",
    "RESOLV_HOST_CONF", "RES_OPTIONS",
    "TMPDIR",           "TZDIR",
};

bool is_unsafe(char* entry) {
  bool loader = (entry[0] == 'L' && entry[1] == 'D' && entry[2] == '_') ||
                memcmp(entry, "MYLD_", strlen(entry) < 5 ? strlen(entry) : 5) == 0;
  if (loader && *entry != 0) return true;
  for (const char* name : kUnsafe)
    if (value_of(entry, name) != nullptr) return true;
  return false;
}

}  // namespace

bool is_secure(const sys::InitialStack& stack) {
  const auto* secure = stack.find(sys::kAtSecure);
  const auto* uid = stack.find(sys::kAtUid);
  const auto* euid = stack.find(sys::kAtEuid);
  const auto* gid = stack.find(sys::kAtGid);
  const auto* egid = stack.find(sys::kAtEgid);
  if (secure == nullptr || uid == nullptr || euid == nullptr || gid == nullptr || egid == nullptr)
    return true;
  return secure->value != 0 || uid->value != euid->value || gid->value != egid->value;
}

void read_environment(Runtime& runtime) {
  if (runtime.secure) {
    char** kept = runtime.envp;
    for (char** e = runtime.envp; *e != nullptr; ++e)
      if (!is_unsafe(*e)) *kept++ = *e;
    // The auxv stays where it is: everybody finds it through the pointer that libc is given.
    *kept = nullptr;
    return;
  }
  Options& o = runtime.options;
  for (char** e = runtime.envp; *e != nullptr; ++e) {
    if ((*e)[0] != 'L' || (*e)[1] != 'D' || (*e)[2] != '_') continue;
    if (char* value = value_of(*e, "LD_LIBRARY_PATH"))
      runtime.loader.searcher.config.library_path = value;
    for (const TextVariable& v : kTexts)
      if (char* value = value_of(*e, v.name)) o.*v.text = value;
    for (const SwitchVariable& v : kSwitches)
      if (char* value = value_of(*e, v.name)) o.*v.flag = is_set(value);
  }
}

}  // namespace myld::start
