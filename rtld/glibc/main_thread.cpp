// The first thread's descriptor (struct pthread), as nptl would set it up.
// Source: rtld/glibc/layout.hpp for the members; set_tid_address(2), get_robust_list(2), rseq(2).
#include "loader/base/mem.hpp"
#include "loader/sys/thread_id.hpp"
#include "rtld/glibc/adapter.hpp"
#include "rtld/glibc/record.hpp"
#include "rtld/glibc/storage.hpp"

namespace myld::glibc {
namespace {

constexpr std::int32_t kJoinable = 2;       // 2.43: enum of pthread.joinstate
constexpr std::int32_t kStackModeUser = 2;  // 2.43: pthread.stack_mode, ALLOCATE_GUARD_USER
constexpr std::int64_t kFutexOffset = -32;  // pthread_mutex_t: __lock minus __list.__next

void fill_header(const Layout& l, const Record& pd, std::uintptr_t tp, const Adapter& a) {
  pd.put(l.pthread.header_tcb, tp);
  pd.put(l.pthread.header_self, tp);
  pd.put(l.pthread.header_stack_guard, a.stack_guard);
  pd.put(l.pthread.header_pointer_guard, a.pointer_guard);
}

void register_robust_list(const Layout& l, const Record& pd) {
  void* head = pd.at(l.pthread.robust_head);
  pd.put(l.pthread.robust_head, head);
  pd.put(l.pthread.robust_prev, head);
  pd.put(l.pthread.robust_head_futex_offset, kFutexOffset);
  __nptl_set_robust_list_avail =
      arch::syscall(arch::kSysSetRobustList, reinterpret_cast<long>(head), 24) == 0;
}

/// An area that is not registered says so; new threads look at it before they register theirs.
void register_rseq(const Adapter& a, std::uintptr_t tp) {
  if (a.layout->rseq == Rseq::none) return;
  auto* area = reinterpret_cast<std::uint32_t*>(tp + static_cast<std::uintptr_t>(a.rseq_offset));
  constexpr std::uint32_t kUninitialised = static_cast<std::uint32_t>(-1),
                          kRegistrationFailed = static_cast<std::uint32_t>(-2);
  area[1] = kRegistrationFailed;
  __rseq_size = 0;
  if (a.layout->rseq == Rseq::unregistered) return;
  __rseq_offset = a.rseq_offset;
  if (a.tunables.number(TunableKey::pthread_rseq, 1) == 0) return;
  area[1] = kUninitialised;
  // 2.36's area has 32 bytes whatever the kernel has; later ones as many as AT_RSEQ_FEATURE_SIZE
  // asks.
  if (arch::syscall(arch::kSysRseq, reinterpret_cast<long>(area), static_cast<long>(a.rseq_bytes),
                    0, static_cast<long>(arch::Port::kRseqSignature)) != 0) {
    area[1] = kRegistrationFailed;
    return;
  }
  std::uint64_t feature = the_runtime().stack.get(sys::kAtRseqFeatureSize, 20);
  __rseq_size = static_cast<unsigned>(a.layout->rseq == Rseq::in_pthread ? 20 : feature);
}

/// Puts the descriptor at the head of _dl_stack_user, where libc and libthread_db look for threads
/// whose stacks libc did not allocate.
void link_in_stack_list(const Layout& l, const Record& pd) {
  auto* head = static_cast<void**>(Record(_rtld_global).at(l.rtld_global._dl_stack_user));
  auto* node = static_cast<void**>(pd.at(l.pthread.list));
  if (head == nullptr || node == nullptr) return;
  node[0] = head[0];
  node[1] = head;
  static_cast<void**>(head[0])[1] = node;
  head[0] = node;
}

}  // namespace

void create_main_thread(Runtime& runtime, std::uintptr_t tp) {
  Adapter& a = g_adapter;
  const Layout& l = *a.layout;
  if (const auto* random =
          reinterpret_cast<const std::uint64_t*>(runtime.stack.get(sys::kAtRandom))) {
    // The lowest byte of the canary is 0, so that string functions stop before it.
    a.stack_guard = random[0] & ~std::uint64_t{0xff};
    a.pointer_guard = random[1];
  }
  // Where the ABI has no place for them in the TCB, everyone reads these.
  __stack_chk_guard = a.stack_guard;
  __pointer_chk_guard = a.pointer_guard;
  Record global(_rtld_global);
  for (Offset list : {l.rtld_global._dl_stack_used, l.rtld_global._dl_stack_user,
                      l.rtld_global._dl_stack_cache}) {
    if (void* head = global.at(list)) {
      void* links[2] = {head, head};
      memcpy(head, links, sizeof links);
    }
  }
  Record pd(reinterpret_cast<void*>(tp - descriptor_distance(l)));
  fill_header(l, pd, tp, a);
  void* tid_word = pd.at(l.tid_address_is_joinstate ? l.pthread.joinstate : l.pthread.tid);
  long tid = arch::syscall(arch::kSysSetTidAddress, reinterpret_cast<long>(tid_word));
  pd.put<std::int32_t>(l.pthread.tid, static_cast<std::int32_t>(tid));
  if (void* word = pd.at(l.pthread.tid))
    sys::g_thread_id_offset =
        static_cast<std::ptrdiff_t>(reinterpret_cast<std::uintptr_t>(word) - tp);
  if (l.tid_address_is_joinstate) pd.put(l.pthread.joinstate, kJoinable);
  pd.put(l.pthread.specific, pd.at(l.pthread.specific_1stblock));
  pd.put<std::uint8_t>(l.pthread.user_stack, 1);
  pd.put(l.pthread.stack_mode, kStackModeUser);
  pd.put(l.pthread.report_events, __nptl_initial_report_events);
  register_robust_list(l, pd);
  link_in_stack_list(l, pd);
  register_rseq(a, tp);
  pd.put(l.pthread.stackblock_size, __libc_stack_end);
  global.put(l.rtld_global._dl_initial_dtv, tls::first_dtv(tp));
}

}  // namespace myld::glibc
