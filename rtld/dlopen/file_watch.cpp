#include "rtld/dlopen/file_watch.hpp"

#include "loader/base/mem.hpp"
#include "loader/sys/calls.hpp"
#include "loader/sys/thread_id.hpp"

namespace myld {
namespace {

using load::Module;

constexpr int kSigbus = 7;
constexpr std::uint64_t kSiginfo = 4, kOnStack = 0x08000000, kNodefer = 0x40000000;
constexpr std::uintptr_t kDefault = 0, kIgnore = 1;

struct Watch {
  Runtime* runtime = nullptr;  ///< nullptr: nothing is being loaded
  bool armed = false;          ///< the signal is taken
  std::int32_t thread = 0;
  Module* reading = nullptr;  ///< the newest, which is in no list yet
  sys::SignalAction before;
  bool lost = false;
  char lost_file[256] = {};  ///< the module may be gone when the error is made
};
constinit Watch g_watch;

/// The module that is being loaded and holds `address`.
Module* find_loading(const Runtime& runtime, std::uintptr_t address) {
  if (g_watch.reading != nullptr && g_watch.reading->contains(address)) return g_watch.reading;
  for (const load::Namespace* ns : runtime.namespaces) {
    if (ns == nullptr) continue;
    for (std::size_t i = ns->modules.size(); i-- > 0;) {
      Module* m = ns->modules[i];
      if (m->stage < load::Stage::initialising && !m->is_loader && m->contains(address)) return m;
    }
  }
  return nullptr;
}

/// `pc`: of the instruction that reads there.
bool put_zeros(std::uintptr_t address, std::uintptr_t pc) {
  if (g_watch.runtime == nullptr || g_watch.thread != sys::thread_id()) return false;
  Module* m = find_loading(*g_watch.runtime, address);
  // Code of the file itself, a resolver: there is nothing that could go on.
  if (m == nullptr || m->contains(pc)) return false;
  std::uint64_t page = g_watch.runtime->loader.page_size;
  std::uintptr_t at = round_down(address, page);
  int prot = sys::kProtRead;
  for (const elf::Phdr& p : m->image.segments.phdrs) {
    std::uintptr_t start = (m->mapping.bias + LinkAddr{p.p_vaddr}).value;
    if (p.p_type == PT_LOAD && (p.p_flags & PF_W) != 0 && at + page > start &&
        at < start + p.p_memsz)
      prot |= sys::kProtWrite;
  }
  constexpr int kFlags = sys::kMapPrivate | sys::kMapAnonymous | sys::kMapFixed;
  if (sys::map(reinterpret_cast<void*>(at), page, prot, kFlags, -1, 0) < 0) return false;
  if (!g_watch.lost) {
    const char* name = *m->display != 0 ? m->display : m->path;
    std::size_t n = strlen(name), most = sizeof g_watch.lost_file - 1;
    // The end of a long path says more than its beginning.
    memcpy(g_watch.lost_file, n > most ? name + (n - most) : name, (n > most ? most : n) + 1);
  }
  g_watch.lost = true;
  return true;
}

/// Hands the signal to whoever had it before.
void pass_on(int signal, void* info, void* context) {
  const sys::SignalAction& a = g_watch.before;
  if (a.handler == kDefault || a.handler == kIgnore) {
    // The instruction is tried again and ends the process, as it would have.
    sys::signal_action(kSigbus, &a, nullptr);
  } else if ((a.flags & kSiginfo) != 0) {
    reinterpret_cast<void (*)(int, void*, void*)>(a.handler)(signal, info, context);
  } else {
    reinterpret_cast<void (*)(int)>(a.handler)(signal);
  }
}

void on_bus_error(int signal, void* info, void* context) {
  // siginfo_t: three ints, padding, then si_addr.
  auto address = *reinterpret_cast<std::uintptr_t*>(static_cast<char*>(info) + 16);
  auto pc =
      *reinterpret_cast<std::uintptr_t*>(static_cast<char*>(context) + arch::kPcInSignalContext);
  if (!put_zeros(address, pc)) pass_on(signal, info, context);
}

/// Takes the signal when the first file of a load is about to be read.
void arm(Module& m) {
  g_watch.reading = &m;
  if (g_watch.armed || g_watch.runtime == nullptr) return;
  g_watch.thread = sys::thread_id();
  sys::SignalAction now;
  now.handler = reinterpret_cast<std::uintptr_t>(&on_bus_error);
  now.flags = kSiginfo | kNodefer | kOnStack;
  arch::complete(now);
  g_watch.armed = sys::signal_action(kSigbus, &now, &g_watch.before) == 0;
}

}  // namespace

FileWatch::FileWatch(Runtime& runtime) : outermost_(g_watch.runtime == nullptr) {
  if (!outermost_) return;
  g_watch.runtime = &runtime;
  g_watch.lost = false;
  runtime.loader.before_reading = arm;
}

FileWatch::~FileWatch() {
  if (!outermost_) return;
  if (g_watch.armed) {
    sys::SignalAction found;
    sys::signal_action(kSigbus, &g_watch.before, &found);
    // Another thread has set its own meanwhile: that one stays.
    if (found.handler != reinterpret_cast<std::uintptr_t>(&on_bus_error))
      sys::signal_action(kSigbus, &found, nullptr);
  }
  g_watch.armed = false;
  g_watch.reading = nullptr;
  g_watch.runtime = nullptr;
}

Status FileWatch::check() {
  if (!g_watch.lost) return {};
  return Error{.code = Code::file_changed, .object = g_watch.lost_file};
}

}  // namespace myld
