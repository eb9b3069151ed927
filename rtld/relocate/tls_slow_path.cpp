// The access of a thread whose DTV does not know the module yet: see rtld/tls/tls.hpp for the only
// thread that can be in that state.
#include "rtld/entry.hpp"
#include "rtld/tls/tls.hpp"

namespace {

/// The module whose memory holds `address`: a word of a GOT, say.
const char* owner_of(const myld::Runtime& runtime, const void* address) {
  for (const myld::load::Namespace* ns : runtime.namespaces) {
    if (ns == nullptr) continue;
    for (const myld::load::Module* m : ns->modules)
      if (m->contains(reinterpret_cast<std::uintptr_t>(address))) return m->display;
  }
  return "__tls_get_addr";
}

}  // namespace

extern "C" [[gnu::visibility("hidden")]] void*
myld_tls_get_addr_slow(const myld::tls::TlsIndex* index) {
  using namespace myld;
  if (!tls::fill_current_thread(the_runtime().tls))
    fatal_lookup(
        the_runtime(),
        {.code = Code::out_of_memory, .object = "thread-local storage", .value = index->module});
  const tls::DtvEntry* dtv = tls::first_dtv(arch::thread_pointer());
  // A word that no relocation of ours has set.
  if (index->module > dtv[-1].value || dtv[index->module].value == tls::kNoBlock)
    fatal_lookup(the_runtime(), {.code = Code::bad_tls_module,
                                 .object = owner_of(the_runtime(), index),
                                 .value = index->module});
  return reinterpret_cast<void*>(dtv[index->module].value + index->offset);
}
