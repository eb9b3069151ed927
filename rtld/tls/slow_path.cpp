// The access of a thread whose DTV does not know the module yet: see rtld/tls/tls.hpp for the only
// thread that can be in that state.
#include "rtld/entry.hpp"
#include "rtld/tls/tls.hpp"

extern "C" [[gnu::visibility("hidden")]] void*
myld_tls_get_addr_slow(const myld::tls::TlsIndex* index) {
  using namespace myld;
  if (!tls::fill_current_thread(the_runtime().tls))
    fatal_lookup(
        the_runtime(),
        {.code = Code::out_of_memory, .object = "thread-local storage", .value = index->module});
  const tls::DtvEntry* dtv = tls::first_dtv(arch::thread_pointer());
  return reinterpret_cast<void*>(dtv[index->module].value + index->offset);
}
