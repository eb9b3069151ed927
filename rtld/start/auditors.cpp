#include "rtld/start/auditors.hpp"

#include "arch/vector_state.hpp"
#include "loader/base/mem.hpp"
#include "rtld/audit/profile.hpp"
#include "rtld/dlopen/audited.hpp"

#include <array>

namespace myld::start {
namespace {

void load(Runtime& runtime, const char* name, StartErrors& errors) {
  Status s = dlopen::load_auditor(runtime, name);
  if (s) return;
  char reason[256];
  render_reason(s.error(), reason, sizeof reason);
  errors.warn({.code = Code::auditor_ignored, .object = reason, .subject = name});
}

/// Each element of a list separated by ':'. In secure execution those with a slash are passed over:
/// an attacker may have chosen them.
void load_list(Runtime& runtime, const char* list, StartErrors& errors) {
  for (const char* p = list; p != nullptr && *p != 0;) {
    const char* end = p;
    while (*end != 0 && *end != ':') ++end;
    char* name = end == p ? nullptr : copy_string(p, static_cast<std::size_t>(end - p));
    if (name != nullptr && !(runtime.secure && find_char(name, '/') != nullptr))
      load(runtime, name, errors);
    release_string(name);
    p = *end == 0 ? end : end + 1;
  }
}

const char* tag_string(const elf::Image& image, std::int64_t tag) {
  for (std::uint32_t i = 0; i < image.dynamic_count; ++i)
    if (image.dynamic[i].d_tag == tag) return image.strings.at(image.dynamic[i].d_un.d_val);
  return nullptr;
}

/// In the order in which they are loaded; nullptr where there is none.
std::array<const char*, 4> lists_of(const Runtime& r) {
  const elf::Image& program = r.program->image;
  return {r.options.audit, r.options.audit_option, tag_string(program, DT_AUDIT),
          tag_string(program, DT_DEPAUDIT)};
}

}  // namespace

const char* profile_directory(const Runtime& r) {
  return r.options.profile_output == nullptr ? "/var/tmp" : r.options.profile_output;
}

bool wants_auditors(const Runtime& r) {
  if (r.options.profile != nullptr) return true;
  for (const char* list : lists_of(r))
    if (list != nullptr && *list != 0) return true;
  return false;
}

void load_auditors(Runtime& r, StartErrors& errors) {
  find::Config& config = r.loader.searcher.config;
  config.only_set_user_id = r.secure;
  for (const char* list : lists_of(r)) load_list(r, list, errors);
  config.only_set_user_id = false;
  if (r.options.profile != nullptr && r.options.mode == Mode::run) {
    if (!audit::add_profiler(r.audit, r.options.profile, profile_directory(r)))
      errors.fail({.code = Code::too_many_auditors, .object = r.options.profile});
  }
  if (!r.audit.active()) return;
  if (r.audit.plt) arch::prepare_audited_calls();
  dlopen::start_auditing(r);
  bool told = dlopen::tell_of(r, *r.program) && dlopen::tell_of(r, *r.loader.self);
  audit::activity(r.audit, r.first, audit::kAdd);
  if (r.vdso != nullptr) told = told && dlopen::tell_of(r, *r.vdso);
  if (!told) errors.fail({.code = Code::out_of_memory});
}

}  // namespace myld::start
