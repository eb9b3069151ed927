#include "rtld/dlopen/audited.hpp"

#include "loader/sys/log.hpp"
#include "rtld/audit/profile.hpp"
#include "rtld/dlopen/dlfcn.hpp"
#include "rtld/entry.hpp"
#include "rtld/init/run.hpp"
#include "rtld/relocate/relocate.hpp"

namespace myld::dlopen {
namespace {

bool mapped(void* context, Module& m) {
  auto& r = *static_cast<Runtime*>(context);
  if (m.ns->is_auditors || !r.audit.active()) return true;
  audit::activity(r.audit, *m.ns, audit::kAdd);
  return tell_of(r, m);
}

const char*
redirect(void* context, const char* path, const find::Requester* requester, find::By by) {
  auto& r = *static_cast<Runtime*>(context);
  const char* wants = audit::search(r.audit, path, requester, by);
  if (wants != path && wants != nullptr && log::wants(log::kFiles))
    log::line("audit changed filename ", path, " -> ", wants);
  return wants;
}

/// A hook of the auditor, or nullptr.
template <class Function>
Result<Function> hook(const Runtime& runtime, const Module& root, const char* name) {
  if (name == nullptr) return static_cast<Function>(nullptr);
  scope::Request request = scope::Request::of(name, nullptr, scope::Purpose::call);
  request.newest = true;
  scope::Definition d = scope::find_in_list(root.group.read(), request);
  if (!d) return static_cast<Function>(nullptr);
  return reinterpret_cast<Function>(MYLD_TRY(relocate::address_of(runtime, d)));
}

template <class Function>
Status find_hook(const Runtime& r, const Module& root, const char* name, Function& out) {
  out = MYLD_TRY(hook<Function>(r, root, name));
  return {};
}

Result<audit::Hooks> find_hooks(const Runtime& r, const Module& root) {
  audit::Hooks h{};
  MYLD_CHECK(find_hook(r, root, "la_activity", h.activity));
  MYLD_CHECK(find_hook(r, root, "la_objsearch", h.objsearch));
  MYLD_CHECK(find_hook(r, root, "la_objopen", h.objopen));
  MYLD_CHECK(find_hook(r, root, "la_objclose", h.objclose));
  MYLD_CHECK(find_hook(r, root, "la_preinit", h.preinit));
  MYLD_CHECK(find_hook(r, root, "la_symbind64", h.symbind));
  MYLD_CHECK(find_hook(r, root, arch::Port::kAuditEnter, h.enter));
  MYLD_CHECK(find_hook(r, root, arch::Port::kAuditExit, h.exit));
  return h;
}

/// Asks the auditor for its version. False: it does not want to be one.
Result<bool> agree(const Runtime& runtime, const Module& root) {
  auto version = MYLD_TRY(hook<unsigned (*)(unsigned)>(runtime, root, "la_version"));
  if (version == nullptr)
    return Error{.code = Code::auditor_without_version, .object = root.display};
  unsigned wants = version(audit::kInterfaceVersion);
  if (wants > audit::kInterfaceVersion)
    return Error{.code = Code::auditor_version, .object = root.display, .value = wants};
  if (wants == 0 && log::wants(log::kFiles))
    log::line("file=", log::In{root.display, root.ns->id},
              "; audit interface function la_version returned zero; ignored.");
  return wants != 0;
}

Status take_on(Runtime& runtime, Module& root) {
  if (!MYLD_TRY(agree(runtime, root))) {
    close(root.link_map);
    return {};
  }
  audit::Hooks hooks = MYLD_TRY(find_hooks(runtime, root));
  if (!audit::add(runtime.audit, hooks))
    return Error{.code = Code::too_many_auditors, .object = root.display};
  return {};
}

}  // namespace

void start_auditing(Runtime& runtime) {
  runtime.loader.listener = {mapped, &runtime};
  runtime.loader.searcher.redirector = {redirect, &runtime};
}

bool tell_of(Runtime& r, Module& m) {
  if (!make_link_map(r, m)) return false;
  audit::look_for_profiled(r.loader.page_size, m);
  return audit::opened(r.audit, m);
}

void take_profile(Runtime& r) {
  if (r.abi->take_time == nullptr) return;
  audit::TimeCounters t = audit::time_to_take();
  if (t.bytes != 0) r.abi->take_time(r, t.counters, t.bytes, t.from, t.text_bytes);
}

Status load_auditor(Runtime& runtime, const char* name) {
  Module* root = MYLD_TRY(open_in_new_namespace(runtime, name));
  // The error may name the module that is given up.
  Status s = take_on(runtime, *root);
  if (s) return s;
  Error kept = runtime.loader.searcher.kept.keep(s.error());
  close(root->link_map);
  return kept;
}

}  // namespace myld::dlopen
