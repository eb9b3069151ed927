#include "rtld/start/environment.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/calls.hpp"

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

bool starts_with(const char* text, const char* prefix) {
  for (; *prefix != 0; ++text, ++prefix)
    if (*text != *prefix) return false;
  return true;
}

/// The digits at the start of `text`; large values saturate.
unsigned number(const char* text) {
  unsigned n = 0;
  for (; *text >= '0' && *text <= '9' && n < 100000; ++text)
    n = n * 10 + static_cast<unsigned>(*text - '0');
  return n;
}

// Names stand in the tables: pointers to them would have to be relocated at every start.
struct TextVariable {
  char name[20];
  const char* Options::*text;
};
struct SwitchVariable {
  char name[16];
  bool Options::*flag;
};

constexpr TextVariable kTexts[] = {
    {"LD_AUDIT", &Options::audit},
    {"LD_DEBUG", &Options::debug},
    {"LD_DEBUG_OUTPUT", &Options::debug_output},
    {"LD_ORIGIN_PATH", &Options::origin_path},
    {"LD_PRELOAD", &Options::preload},
    {"LD_PROFILE", &Options::profile},
    {"LD_PROFILE_OUTPUT", &Options::profile_output},
};
/// On when the value is not empty.
constexpr SwitchVariable kSwitches[] = {
    {"LD_BIND_NOW", &Options::bind_now},
    {"LD_BIND_NOT", &Options::bind_not},
    {"LD_VERBOSE", &Options::trace_versions},
    {"LD_WARN", &Options::trace_relocate},
};

/// Removed from the environment in secure execution, with everything that begins with LD_ or MYLD_:
/// they steer the loader, libc or what libc opens. Source: glibc's unsecvars.h, the list of names.
constexpr char kUnsafe[][24] = {
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

struct Permission {
  const char* word;
  void (*give)(load::Policy&);
};
constexpr Permission kPermissions[] = {
    {"wx", [](load::Policy& p) { p.segments.allow_writable_executable = true; }},
    {"textrel", [](load::Policy& p) { p.allow_text_relocations = true; }},
    {"execstack", [](load::Policy& p) { p.executable_stacks = true; }},
    {"unsealed", [](load::Policy& p) { p.seal = false; }},
};

bool is_unsafe(char* entry) {
  if (starts_with(entry, "LD_") || starts_with(entry, "MYLD_")) return true;
  for (const char* name : kUnsafe)
    if (value_of(entry, name) != nullptr) return true;
  return false;
}

/// In secure execution two variables are looked at; which of their names count is decided where
/// they are loaded (add_preloads).
void read_secure(Runtime& runtime) {
  char** kept = runtime.envp;
  for (char** e = runtime.envp; *e != nullptr; ++e) {
    if (char* value = value_of(*e, "LD_PRELOAD")) runtime.options.preload = value;
    if (char* value = value_of(*e, "LD_AUDIT")) runtime.options.audit = value;
    if (!is_unsafe(*e)) *kept++ = *e;
  }
  // The auxv stays where it is: everybody finds it through the pointer that libc is given.
  *kept = nullptr;
}

}  // namespace

const char* allow(load::Policy& policy, const char* list) {
  const char* unknown = nullptr;
  for (const char* p = list; *p != 0;) {
    const char* end = p;
    while (*end != 0 && *end != ',' && *end != ':') ++end;
    bool known = end == p;
    for (const Permission& each : kPermissions) {
      std::size_t n = strlen(each.word);
      if (static_cast<std::size_t>(end - p) != n || memcmp(p, each.word, n) != 0) continue;
      each.give(policy);
      known = true;
    }
    if (!known && unknown == nullptr) unknown = p;
    p = *end == 0 ? end : end + 1;
  }
  return unknown;
}

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

Status open_standard_descriptors() {
  for (int fd = 0; fd < 3; ++fd) {
    if (sys::is_open(fd)) continue;
    // The lowest free number is given: this one.
    long got = sys::open_device("/dev/null");
    if (got != fd)
      return Error{.code = Code::no_standard_descriptor,
                   .sys_errno = got < 0 ? static_cast<int>(-got) : 0,
                   .object = "/dev/null",
                   .value = static_cast<std::uint64_t>(fd)};
  }
  return {};
}

void read_environment(Runtime& runtime) {
  if (runtime.secure) {
    runtime.loader.policy.allow_text_relocations = false;
    read_secure(runtime);
    return;
  }
  Options& o = runtime.options;
  for (char** e = runtime.envp; *e != nullptr; ++e) {
    if (char* value = value_of(*e, "MYLD_ALLOW")) o.allow = value;
    if (char* value = value_of(*e, "MYLD_BINDING")) o.binding = value;
    if (char* value = value_of(*e, "MYLD_HUGE_TEXT")) o.huge_text = value;
    if (!starts_with(*e, "LD_")) continue;
    if (char* value = value_of(*e, "LD_LIBRARY_PATH"))
      runtime.loader.searcher.config.library_path = value;
    if (char* value = value_of(*e, "LD_TRACE_LOADED_OBJECTS")) {
      o.mode = Mode::trace;
      o.trace_program = number(value) > 1;
    }
    if (value_of(*e, "LD_DYNAMIC_WEAK") != nullptr) o.dynamic_weak = true;
    if (value_of(*e, "LD_SHOW_AUXV") != nullptr) o.show_auxv = true;
    for (const TextVariable& v : kTexts)
      if (char* value = value_of(*e, v.name)) o.*v.text = *value != 0 ? value : nullptr;
    for (const SwitchVariable& v : kSwitches)
      if (char* value = value_of(*e, v.name)) o.*v.flag = *value != 0;
  }
}

}  // namespace myld::start
