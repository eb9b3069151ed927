// The names that libc.so.6 and its companions import from their loader (exports/<isa>.map). Each
// says who calls it.
#include "loader/base/mem.hpp"
#include "loader/base/start_only.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/text.hpp"
#include "rtld/dlopen/dlfcn.hpp"
#include "rtld/dlopen/object_index.hpp"
#include "rtld/entry.hpp"
#include "rtld/glibc/adapter.hpp"
#include "rtld/glibc/calls.hpp"
#include "rtld/glibc/message.hpp"
#include "rtld/glibc/record.hpp"
#include "rtld/glibc/storage.hpp"
#include "rtld/scope/lookup.hpp"
#include "rtld/tls/tls.hpp"

#define MYLD_EXPORT [[gnu::visibility("default"), gnu::used]]

namespace myld::glibc {

load::Module* module_of(const load::LinkMap* map) { return dlopen::module_of_handle(map); }

void debug_printf(const char*, ...) {}  // only called when _dl_debug_mask is not 0, and it is

/// dl_iterate_phdr: the calling thread's block of a module, without making one. Needs: the map is
/// one of the chain that libc walks, and libc holds the chain's lock.
void* tls_get_addr_soft(load::LinkMap* map) {
  std::uint64_t id;
  memcpy(&id, Record(map).at(g_adapter.layout->link_map.l_tls_modid), sizeof id);
  return tls::block_of(id);
}

/// __libc_freeres, for leak checkers: what the loader holds is not malloc's and need not be freed.
void libc_freeres() {}

/// <dlfcn.h>: struct dl_find_object.
struct FoundObject {
  std::uint64_t dlfo_flags;
  void* dlfo_map_start;
  void* dlfo_map_end;
  load::LinkMap* dlfo_link_map;
  void* dlfo_eh_frame;
  std::uint64_t reserved[7];
};

/// The unwinder's way from a program counter to unwind tables: no lock, no allocation.
int find_object(void* address, void* out) {
  ReadSection section;
  const dlopen::ObjectIndex* index = dlopen::current_index();
  const auto* range =
      index == nullptr ? nullptr : index->find(reinterpret_cast<std::uintptr_t>(address));
  if (range == nullptr) return -1;
  *static_cast<FoundObject*>(out) = {.dlfo_flags = 0,
                                     .dlfo_map_start = reinterpret_cast<void*>(range->start),
                                     .dlfo_map_end = reinterpret_cast<void*>(range->end),
                                     .dlfo_link_map = range->module->link_map,
                                     .dlfo_eh_frame = reinterpret_cast<void*>(range->eh_frame),
                                     .reserved = {}};
  return 0;
}

/// printf's check of %n formats (2.43): is [at, at + bytes) read-only memory of a module?
int readonly_area(const void* at, std::size_t bytes) {
  constexpr int kReadOnly = 0, kWritable = 1, kNotFound = 2;
  ReadSection section;
  load::Module* m = dlopen::module_at(reinterpret_cast<std::uintptr_t>(at));
  if (m == nullptr) return kNotFound;
  LinkAddr link = RunAddr::of(at) - m->image.bias;
  const elf::Phdr* load = m->image.segments.find(link, bytes);
  if (load == nullptr) return kNotFound;
  if ((load->p_flags & PF_W) == 0) return kReadOnly;
  const elf::Phdr* relro = m->image.segments.relro;
  bool protected_after_start = relro != nullptr && link.value >= relro->p_vaddr &&
                               link.value + bytes <= relro->p_vaddr + relro->p_memsz;
  return protected_after_start ? kReadOnly : kWritable;
}

struct FoundVersion {  // struct r_found_version
  const char* name;
  std::uint32_t hash;
  int hidden;
  const char* filename;
};

/// Reached from time() and gettimeofday() of old releases, which look for the vDSO's functions in
/// its link_map. dlsym goes through the hook.
load::LinkMap* lookup_symbol_x(const char* name,
                               load::LinkMap* undef_map,
                               const elf::Sym** symbol,
                               void**,
                               const void* version,
                               int,
                               int,
                               load::LinkMap*) {
  *symbol = nullptr;
  load::Module* m = undef_map == the_runtime().vdso->link_map ? the_runtime().vdso : nullptr;
  if (m == nullptr) {
    ReadSection section;
    m = module_of(undef_map);
  }
  if (m == nullptr) return nullptr;
  elf::Version wanted;
  if (const auto* v = static_cast<const FoundVersion*>(version))
    wanted = {.name = v->name, .hash = v->hash};
  scope::Request request =
      scope::Request::of(name, version == nullptr ? nullptr : &wanted, scope::Purpose::call);
  *symbol = scope::find_in_module(*m, request);
  return *symbol == nullptr ? nullptr : undef_map;
}

void* slot_open(const char* file, int mode, const void* caller, long ns, int, char**, char**) {
  constexpr int kInternal = static_cast<int>(0x80000000);
  return dlopen::open(file, mode & ~kInternal, reinterpret_cast<std::uintptr_t>(caller), ns);
}
void slot_close(void* map) { dlopen::close(map); }
void error_free(void*) {}  // texts are the loader's, and live in the thread's record

namespace {

constexpr char kOutOfMemory[] = "out of memory";

/// As glibc words an error that nobody catches.
[[noreturn]] void fatal(const Exception& e, int errcode, const char* occasion) {
  const char* program = the_runtime().argv[0];
  bool named = e.objname != nullptr && *e.objname != 0;
  {
    sys::Text text(2);
    text << (program == nullptr ? "" : program) << ": "
         << (occasion == nullptr ? "error while loading shared libraries" : occasion) << ": ";
    if (named) text << e.objname << ": ";
    text << e.errstring;
    if (errcode > 0) text << ": " << errno_text(errcode);
    text << "\n";
  }
  sys::exit(127);
}

/// The innermost catcher of the thread. libc reaches these functions only where it does not go
/// through the dl hook, which is nowhere in a running program; they are complete all the same.
struct Catcher {
  Exception* exception;
  int* errcode;
  void* jump[5];
  Catcher* outer;
};

Catcher*& current_catcher() {
  tls::Thread* t = tls::current_thread();
  return reinterpret_cast<Catcher*&>(t->catcher);
}

}  // namespace
}  // namespace myld::glibc

extern "C" {

using namespace myld;

alignas(64) MYLD_EXPORT constinit unsigned char _rtld_global[glibc::kRtldGlobalBytes] = {};
alignas(64) MYLD_EXPORT MYLD_START_ONLY
    constinit unsigned char _rtld_global_ro[glibc::kRtldGlobalRoBytes] = {};
MYLD_EXPORT MYLD_START_ONLY constinit int __libc_enable_secure = 0;
MYLD_EXPORT MYLD_START_ONLY constinit void* __libc_stack_end = nullptr;
MYLD_EXPORT MYLD_START_ONLY constinit char** _dl_argv = nullptr;
MYLD_EXPORT MYLD_START_ONLY constinit std::ptrdiff_t __rseq_offset = 0;
MYLD_EXPORT MYLD_START_ONLY constinit unsigned int __rseq_size = 0;
MYLD_EXPORT MYLD_START_ONLY constinit unsigned int __rseq_flags = 0;
MYLD_EXPORT constinit char __nptl_initial_report_events = 0;
// riscv64: pthread_mutex_init, for robust mutexes.
MYLD_EXPORT constinit bool __nptl_set_robust_list_avail = false;
// aarch64 and riscv64: every module that is built with a stack protector; libc's setjmp and atexit.
// On x86-64 both are in the TCB, and the map keeps these names in the loader.
MYLD_EXPORT MYLD_START_ONLY constinit std::uintptr_t __stack_chk_guard = 0;
MYLD_EXPORT MYLD_START_ONLY constinit std::uintptr_t __pointer_chk_guard = 0;
/// Exists so that the version node GLIBC_2.34 does.
MYLD_EXPORT constinit int __rtld_version_placeholder = 1;

// pthread_create carves static TLS and the descriptor from the new stack; the loader adds the DTV
// and the blocks.
MYLD_EXPORT void* _dl_allocate_tls(void* tcb) {
  prepare_readers_for_threads();
  return tls::create_thread(the_runtime().tls, reinterpret_cast<std::uintptr_t>(tcb)) ? tcb
                                                                                      : nullptr;
}
// pthread_create with a recycled stack. The second argument has changed its meaning between
// releases and is always the one for an ordinary thread.
MYLD_EXPORT void* _dl_allocate_tls_init(void* tcb, bool) {
  if (tcb == nullptr) return nullptr;
  return tls::recycle_thread(the_runtime().tls, reinterpret_cast<std::uintptr_t>(tcb)) ? tcb
                                                                                       : nullptr;
}
// pthread_exit and stack cache; libc owns the TCB's memory.
MYLD_EXPORT void _dl_deallocate_tls(void* tcb, bool) {
  if (tcb != nullptr) tls::destroy_thread(the_runtime().tls, reinterpret_cast<std::uintptr_t>(tcb));
}
// Sanitizers ask by dlsym.
MYLD_EXPORT void _dl_get_tls_static_info(std::size_t* size, std::size_t* align) {
  *size = tls::static_size(the_runtime().tls);
  *align = tls::static_align(the_runtime().tls);
}

// __cxa_thread_atexit_impl, _dl_addr.
MYLD_EXPORT load::LinkMap* _dl_find_dso_for_object(std::uintptr_t address) {
  ReadSection section;
  load::Module* m = dlopen::module_at(address);
  return m == nullptr ? nullptr : m->link_map;
}

MYLD_EXPORT void __tunable_get_val(unsigned id, void* out, void (*callback)(glibc::TunableValue*)) {
  glibc::g_adapter.tunables.get_val(id, out, callback,
                                    glibc::g_adapter.layout->tunable_val_is_16_bytes);
}
MYLD_EXPORT bool __tunable_is_initialized(unsigned id) {
  return glibc::g_adapter.tunables.is_initialized(id);
}

/// __libc_start_main (2.35 and later), between the program's constructors and main.
MYLD_EXPORT void _dl_audit_preinit(load::LinkMap*) {
  Runtime& runtime = the_runtime();
  audit::preinit(runtime.audit, *runtime.program);
}
/// Not reached: dlsym goes through the hook, and asks auditors itself.
MYLD_EXPORT void _dl_audit_symbind_alt(load::LinkMap*, const elf::Sym*, void**, load::LinkMap*) {}
MYLD_EXPORT void _dl_mcount(std::uintptr_t, std::uintptr_t) {}

MYLD_EXPORT const void* _dl_x86_get_cpu_features() {
  glibc::Offset at = glibc::g_adapter.layout->rtld_global_ro._dl_x86_cpu_features;
  return at == glibc::kAbsent ? nullptr : _rtld_global_ro + at;
}

// dlinfo without the hook.
MYLD_EXPORT void _dl_rtld_di_serinfo(load::LinkMap* map, void* info, bool counting) {
  constexpr int kSearchInfo = 4, kSearchInfoSize = 5;
  dlopen::info(map, counting ? kSearchInfoSize : kSearchInfo, info);
}

// pthread_getattr_np and friends up to 2.40, when a thread stack must become executable.
MYLD_EXPORT int __nptl_change_stack_perm(void*) {
  return sys::kEperm;  // stacks stay non-executable (docs/policy.md)
}

// ---- the private exceptions of glibc's loader
// ----------------------------------------------------

MYLD_EXPORT void
_dl_exception_create(glibc::Exception* e, const char* objname, const char* errstring) {
  const char* name = objname == nullptr ? "" : objname;
  std::size_t text = strlen(errstring) + 1, object = strlen(name) + 1;
  auto* block = static_cast<char*>(heap::allocate(text + object));
  if (block == nullptr) {
    *e = {"", glibc::kOutOfMemory, nullptr};
    return;
  }
  memcpy(block, errstring, text);
  memcpy(block + text, name, object);
  // message_buffer stays null: libc must not free() what is not malloc's.
  *e = {block + text, block, nullptr};
}
MYLD_EXPORT void
_dl_exception_create_format(glibc::Exception* e, const char* objname, const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::size_t size = glibc::format_message({}, format, arguments) + 1;
  if (auto* text = static_cast<char*>(heap::allocate(size))) {
    glibc::format_message({text, size}, format, arguments);
    _dl_exception_create(e, objname, text);
    heap::release(text, size);
  } else {
    *e = {"", glibc::kOutOfMemory, nullptr};
  }
  va_end(arguments);
}
MYLD_EXPORT void _dl_exception_free(glibc::Exception* e) {
  if (e->errstring != nullptr && e->errstring != glibc::kOutOfMemory)
    heap::release(const_cast<char*>(e->errstring),
                  strlen(e->errstring) + strlen(e->objname) +
                      2);  // as _dl_exception_create made it
  *e = {};
}

MYLD_EXPORT [[noreturn]] void
_dl_signal_exception(int errcode, glibc::Exception* e, const char* occasion) {
  glibc::Catcher* c = glibc::current_catcher();
  if (c == nullptr) glibc::fatal(*e, errcode, occasion);
  *c->exception = *e;
  *c->errcode = errcode;
  __builtin_longjmp(c->jump, 1);
}

MYLD_EXPORT [[noreturn]] void
_dl_signal_error(int errcode, const char* object, const char* occasion, const char* text) {
  glibc::Exception e;
  _dl_exception_create(&e, object, text == nullptr ? "DYNAMIC LINKER BUG!!!" : text);
  _dl_signal_exception(errcode, &e, occasion);
}

MYLD_EXPORT [[gnu::noinline]] int
_dl_catch_exception(glibc::Exception* e, void (*operate)(void*), void* argument) {
  glibc::Catcher*& current = glibc::current_catcher();
  if (e == nullptr) {
    glibc::Catcher* outer = current;
    current = nullptr;
    operate(argument);
    current = outer;
    return 0;
  }
  volatile int errcode = 0;
  glibc::Catcher catcher{e, const_cast<int*>(&errcode), {}, current};
  if (__builtin_setjmp(catcher.jump) == 0) {
    current = &catcher;
    operate(argument);
    *e = {};
    errcode = 0;
  }
  glibc::current_catcher() = catcher.outer;
  return errcode;
}

MYLD_EXPORT int _dl_catch_error(const char** object,
                                const char** text,
                                bool* malloced,
                                void (*operate)(void*),
                                void* argument) {
  glibc::Exception e{};
  int errcode = _dl_catch_exception(&e, operate, argument);
  *object = e.objname;
  *text = e.errstring;
  *malloced = false;
  return errcode;
}

MYLD_EXPORT [[noreturn]] void _dl_fatal_printf(const char* format, ...) {
  char text[1024];
  std::va_list arguments;
  va_start(arguments, format);
  std::size_t size = glibc::format_message(text, format, arguments);
  va_end(arguments);
  sys::write_all(2, text, size < sizeof text ? size : sizeof text - 1);
  sys::exit(127);
}
}
